# The daily commands. `just` lists them; each is one line, so a machine without just can run it by hand.

default:
    @just --list

# what CI runs
check:
    sh scripts/test

# an agent's conversation before and after
demo:
    sh scripts/demo

# tests alone: just test -k store
test *arguments:
    .venv/bin/pytest -n auto {{ arguments }}

# the TypeScript packages
typescript:
    sh scripts/test-typescript

# LangChain and Agno in the oldest versions that we support
oldest *arguments:
    sh scripts/test-oldest {{ arguments }}

# the property tests with many more examples
long *arguments:
    .venv/bin/pytest -n auto --hypothesis-profile=long {{ arguments }}

# lay out the code and mend what can be mended by itself
fix:
    .venv/bin/ruff check --fix .
    .venv/bin/ruff format .

# write down the newest versions that work together, for every Python and platform that we support
pin:
    printf 'uv\nhatchling\n' | .venv/bin/python -m uv pip compile pyproject.toml - --extra dev --universal --no-header --no-annotate \
        --python-version "$(sed -n 's/^requires-python = ">=\(.*\)".*/\1/p' pyproject.toml)" -o constraints.txt
    sed -i "/python_full_version/!s/ ;.*//" constraints.txt

# put what commands print today into README and docs
docs:
    .venv/bin/python scripts/write_docs.py
