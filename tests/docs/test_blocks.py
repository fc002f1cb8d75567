from __future__ import annotations

import asyncio
import os
from datetime import date

import pytest

from jibble_async.sandbox import Sandbox
from tests.docs.blocks import Block, blocks, blocks_of, pages

BLOCKS = blocks()
RUNNABLE = [block for block in BLOCKS if block.runs]


@pytest.mark.parametrize("block", BLOCKS, ids=str)
def test_a_block_is_valid_python(block: Block) -> None:
    block.compiled()


@pytest.mark.real_time
@pytest.mark.parametrize("block", RUNNABLE, ids=str)
async def test_a_block_runs(block: Block, monkeypatch: pytest.MonkeyPatch) -> None:
    # In CI all of them are there, and nothing may be left out.
    if block.needs is not None and os.environ.get("CI") != "true":
        pytest.importorskip(block.needs, reason=f"{block.needs} is not installed")
    async with Sandbox(people=6, since=date(2026, 7, 1), until=date(2026, 7, 31)) as box:
        for name, value in box.environment().items():
            monkeypatch.setenv(name, value)
        # dlt would tell of each run.
        monkeypatch.setenv("RUNTIME__DLTHUB_TELEMETRY", "false")
        await asyncio.to_thread(block.run)


def test_the_readme_has_an_example() -> None:
    assert any(block.page == "README.md" for block in RUNNABLE)


@pytest.mark.parametrize(("page", "document"), pages(), ids=[page for page, _ in pages()])
def test_fences_come_in_pairs(page: str, document: str) -> None:
    fences = [line.strip() for line in document.splitlines() if line.strip().startswith("```")]
    assert len(fences) % 2 == 0, page
    assert all(fence == "```" for fence in fences[1::2]), page


PAGE = """
Text with `code`.

```python
x = 1
```

- a list

  ```python no-run
  await somewhere()
  ```

```
not python
```
```json
{}
```
"""


def test_blocks_are_found_with_their_lines() -> None:
    assert blocks_of("page.md", PAGE) == [
        Block("page.md", 5, "x = 1\n", runs=True),
        Block("page.md", 11, "await somewhere()\n", runs=False),
    ]


def test_a_block_fails_where_it_is_wrong() -> None:
    for text, error in (
        ("import asyncio\nawait asyncio.sleep(0)\nassert False\n", AssertionError),
        ("raise KeyError\n", KeyError),
        ("import asyncio\nasync def main():\n    raise KeyError\nasyncio.run(main())", KeyError),
        ("print(x)\n", NameError),
    ):
        with pytest.raises(error):
            Block("page.md", 7, text, runs=True).run()
    with pytest.raises(SyntaxError) as caught:
        Block("page.md", 7, "ok = 1\nx =\n", runs=False).compiled()
    assert caught.value.lineno == 8


def test_blocks_share_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    Block("page.md", 1, "x = 5\nprint(x)\n", runs=True).run()
    assert capsys.readouterr().out == "5\n"
    with pytest.raises(NameError):
        Block("page.md", 1, "print(x)\n", runs=True).run()
