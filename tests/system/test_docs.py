"""The documentation that is made from the code is as the code makes it."""

import os
import re
import subprocess

from pair import BACK, FRONT, ROOT


def test_the_settings_page_is_what_the_programs_print():
    with open(os.path.join(ROOT, "docs", "settings.md")) as file:
        page = file.read()
    for program in (FRONT, BACK):
        printed = subprocess.run([program, "config", "sample", "--markdown"], capture_output=True, text=True,
                                 check=True).stdout
        assert printed.strip() in page, f"run `make docs`: {os.path.basename(program)} has other settings"


def test_every_link_in_the_documentation_leads_somewhere():
    pages = [os.path.join(ROOT, name) for name in os.listdir(ROOT) if name.endswith(".md")]
    pages += [os.path.join(ROOT, "docs", name) for name in os.listdir(os.path.join(ROOT, "docs"))]
    for page in pages:
        with open(page) as file:
            for target in re.findall(r"\]\(([^)#]+)", file.read()):
                if not target.startswith("http"):
                    assert os.path.exists(os.path.join(os.path.dirname(page), target)), (page, target)
