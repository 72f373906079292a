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


def the_table_of(page):
    for line in page.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if len(cells) == 5 and cells[1].isdigit():
            yield cells


def test_the_page_of_capabilities_names_what_the_code_offers():
    """The table in the code decides; the files and tests that the page names are there."""
    imap4 = os.path.join(ROOT, "mailbox-backend", "imap4")
    with open(os.path.join(imap4, "capabilities.c")) as file:
        offered = set(re.findall(r'\{"([^"]+)",\s+(\d+),', file.read()))
    with open(os.path.join(ROOT, "docs", "capabilities.md")) as file:
        rows = list(the_table_of(file.read()))
    assert {(row[0], row[1]) for row in rows} == offered, "docs/capabilities.md or capabilities.c"
    for word, _, _, done, shown in rows:
        for name in re.findall(r"`([^`]+)`", done):
            assert os.path.exists(os.path.join(ROOT if "/" in name else imap4, name)), (word, name)
        for name in re.findall(r"`([^`]+)`", shown):
            assert os.path.exists(os.path.join(ROOT, "tests", name)), (word, name)
