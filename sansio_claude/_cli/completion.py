"""`completion`: scripts for bash, zsh and fish, written from the commands and options that there are."""

from __future__ import annotations

import argparse
import shlex
from typing import Any, Final

import attrs

from sansio_claude._cli.options import add_command

__all__ = ["add_completion", "completion"]

_PROGRAM: Final = "sansio-claude"


def add_completion(commands: Any, parser: argparse.ArgumentParser) -> None:
    """Add the command to the parser, whose tree it writes down."""
    found = add_command(
        commands,
        "completion",
        "print a script that completes commands and options in your shell",
        "Print a script for your shell that completes the commands, their options and the names of files.",
        [
            'eval "$(sansio-claude completion bash)"       # in ~/.bashrc',
            'eval "$(sansio-claude completion zsh)"        # in ~/.zshrc, behind compinit',
            "sansio-claude completion fish | source        # in ~/.config/fish/config.fish",
        ],
    )
    found.add_argument("shell", choices=tuple(_WRITERS), help="the shell")

    def run(options: argparse.Namespace) -> int:
        print(completion(parser, options.shell), end="")
        return 0

    found.set_defaults(run=run)


@attrs.define
class _Option:
    names: list[str]
    words: str
    choices: list[str]
    takes_value: bool


@attrs.define
class _Command:
    """A command: its words from the program on, its options and its parts."""

    path: tuple[str, ...]
    words: str
    options: list[_Option]
    parts: list[_Command]
    choices: list[str]

    def all(self) -> list[_Command]:
        """This one and all below it."""
        return [self, *(each for part in self.parts for each in part.all())]


def completion(parser: argparse.ArgumentParser, shell: str) -> str:
    """The script for "bash", "zsh" or "fish"."""
    return _WRITERS[shell](_tree(parser, (), ""))


def _tree(parser: argparse.ArgumentParser, path: tuple[str, ...], words: str) -> _Command:
    found = _Command(path, words, [], [], [])
    for action in parser._actions:
        if isinstance(action, argparse._SubParsersAction):
            helps = {choice.dest: choice.help or "" for choice in action._choices_actions}
            for name, part in action.choices.items():
                found.parts.append(_tree(part, (*path, name), helps.get(name, "")))
        elif action.option_strings:
            choices = [str(choice) for choice in action.choices or ()]
            said = "" if action.help in (None, argparse.SUPPRESS) else str(action.help).split(" (default")[0]
            found.options.append(_Option(list(action.option_strings), said, choices, action.nargs != 0))
        elif action.choices:
            found.choices += [str(choice) for choice in action.choices]
    return found


def _cases(top: _Command) -> str:
    """The cases of a shell: for the words so far, what may come next."""
    lines = []
    for command in sorted(top.all(), key=lambda each: -len(each.path)):
        names = [part.path[-1] for part in command.parts] + command.choices
        names += [name for option in command.options for name in option.names]
        pattern = "".join(f"{word} " for word in command.path)
        lines.append(f"        {shlex.quote(pattern)}*) words={shlex.quote(' '.join(names))} ;;")
    return "\n".join(lines)


def _values(top: _Command) -> str:
    """The cases of a shell for the word behind an option that takes one of a few."""
    found: dict[str, str] = {}
    for command in top.all():
        for option in command.options:
            for name in option.names if option.choices else ():
                found[name] = " ".join(option.choices)
    return "\n".join(f"        {name}) words={shlex.quote(words)} ;;" for name, words in found.items())


def _bash(top: _Command) -> str:
    return f"""\
_sansio_claude() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} line="" words="" word
    for word in "${{COMP_WORDS[@]:1:COMP_CWORD-1}}"; do
        case $word in -*) ;; *) line+="$word " ;; esac
    done
    case $line in
{_cases(top)}
    esac
    case ${{COMP_WORDS[COMP_CWORD-1]}} in
{_values(top)}
    esac
    COMPREPLY=($(compgen -W "$words" -- "$current"))
}}
complete -o default -F _sansio_claude {_PROGRAM}
"""


def _zsh(top: _Command) -> str:
    return f"""\
_sansio_claude() {{
    local line="" given found=""
    for given in "${{(@)words[2,CURRENT-1]}}"; do
        case $given in -*) ;; *) line+="$given " ;; esac
    done
    case $line in
{_cases(top).replace("words=", "found=")}
    esac
    case ${{words[CURRENT-1]}} in
{_values(top).replace("words=", "found=")}
    esac
    compadd -- ${{(s: :)found}}
    _files
}}
compdef _sansio_claude {_PROGRAM}
"""


def _fish(top: _Command) -> str:
    lines = [f"complete -c {_PROGRAM} -n __fish_use_subcommand -f"]
    for command in top.all():
        seen = _fish_condition(command)
        for part in command.parts:
            lines.append(f"complete -c {_PROGRAM} {seen} -f -a {part.path[-1]} -d {shlex.quote(part.words)}")
        if command.choices:
            lines.append(f"complete -c {_PROGRAM} {seen} -f -a {shlex.quote(' '.join(command.choices))}")
        for option in command.options:
            names = " ".join(f"-l {name[2:]}" if name[:2] == "--" else f"-s {name[1:]}" for name in option.names)
            line = f"complete -c {_PROGRAM} {seen} {names} -d {shlex.quote(option.words)}"
            if option.choices:
                line += f" -x -a {shlex.quote(' '.join(option.choices))}"
            elif option.takes_value:
                line += " -r"
            lines.append(line)
    return "\n".join(lines) + "\n"


def _fish_condition(command: _Command) -> str:
    if not command.path:
        return "-n __fish_use_subcommand"
    tests = [f"__fish_seen_subcommand_from {word}" for word in command.path]
    if command.parts:
        tests.append(f"not __fish_seen_subcommand_from {' '.join(part.path[-1] for part in command.parts)}")
    return f"-n {shlex.quote('; and '.join(tests))}"


_WRITERS: Final = {"bash": _bash, "zsh": _zsh, "fish": _fish}
