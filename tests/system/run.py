"""Runs the system tests: every test_* function of every test_*.py here, or in the folder $TESTS (or of the files and
functions named as FILE or FILE:FUNCTION). The last line is "system: N passed, N failed"."""

import importlib
import os
import sys
import time
import traceback

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
FOLDER = os.environ.get("TESTS", HERE)
sys.path.insert(0, FOLDER)


def selected(arguments):
    names = sorted(name[:-3] for name in os.listdir(FOLDER)
                   if name.startswith("test_") and name.endswith(".py"))
    for argument in arguments or names:
        module_name, _, wanted = argument.removesuffix(".py").partition(":")
        module = importlib.import_module(module_name)
        for name, function in list(vars(module).items()):
            if name.startswith("test_") and callable(function) and wanted in ("", name):
                yield f"{module_name}:{name}", function


def main():
    passed, failed, skipped = 0, 0, []
    for name, function in selected(sys.argv[1:]):
        start = time.monotonic()
        try:
            reason = function()
        except Exception:
            traceback.print_exc()
            print(f"not ok {name}", flush=True)
            failed += 1
            continue
        if isinstance(reason, str) and reason.startswith("skip"):
            skipped.append(f"{name}: {reason}")
            continue
        passed += 1
        print(f"ok {name} ({time.monotonic() - start:.1f} s)", flush=True)
    for line in skipped:
        print(f"skipped {line}")
    print(f"system: {passed} passed, {failed} failed", flush=True)
    return failed != 0


sys.exit(main())
