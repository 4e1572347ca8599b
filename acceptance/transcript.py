"""What is shown: on the terminal as it happens, and as Markdown in the end."""

from __future__ import annotations

from rich.console import Console

from swarm.foreign import harmless


class Transcript:
    """A session of numbered acts: what is typed, what it prints, what is checked."""

    def __init__(self) -> None:
        self._console = Console(highlight=False, soft_wrap=True)
        self._lines: list[str] = []
        self._kind = ""
        self._acts = 0

    def act(self, title: str) -> None:
        """Begins an act."""
        self._acts += 1
        self._title("##", f"{self._acts}. {title}")

    def say(self, text: str) -> None:
        """A paragraph."""
        self._kind = self._end()
        self._add("words", harmless(text))
        self._print(harmless(text))

    def command(self, text: str, prompt: str = "") -> None:
        """A command, as it would be typed."""
        self._add("code", f"{prompt}$ {text}")
        self._print(f"{prompt}$ {text}", "cyan")

    def output(self, text: str) -> None:
        """What a command prints, or what is seen meanwhile."""
        for line in harmless(text).strip("\n").splitlines():
            self._add("code", line.rstrip())
            self._print(line.rstrip())

    def passed(self, text: str) -> None:
        """A check that holds."""
        self._add("checks", f"- ✓ {harmless(text)}")
        self._print(f"✓ {harmless(text)}", "green")

    def unchecked(self, text: str) -> None:
        """What can't be checked here, and why."""
        self._add("checks", f"- not checked: {harmless(text)}")
        self._print(f"not checked: {harmless(text)}", "yellow")

    def markdown(self) -> str:
        """All of it so far."""
        self._kind = self._end()
        return "\n".join(self._lines).strip() + "\n"

    def _title(self, level: str, title: str) -> None:
        """A title, of a level in Markdown."""
        self._kind = self._end()
        self._add("title", f"{level} {title}")
        self._print(f"\n{title}", "bold")

    def _add(self, kind: str, line: str) -> None:
        """A line, in a block of its kind."""
        if kind != self._kind:
            self._end()
            self._lines += ["", "```"] if kind == "code" else [""]
            self._kind = kind
        self._lines.append(line)

    def _end(self) -> str:
        """Ends the block that is open; gives the kind of none."""
        if self._kind == "code":
            self._lines.append("```")
        return ""

    def _print(self, text: str, style: str = "") -> None:
        self._console.print(text, style=style, markup=False)
