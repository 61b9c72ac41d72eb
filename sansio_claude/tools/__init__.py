"""Tools: definitions from Python functions, the loop of a conversation that calls them, the text editor.

Everything here is without I/O but `DiskFiles`, which reads and writes files.
"""

from sansio_claude._described import described
from sansio_claude.tools._calls import Action, AskModel, AwaitResults, Finished, RunTools, ToolCall
from sansio_claude.tools._disk_files import DiskFiles
from sansio_claude.tools._extract import Extraction, Extractor
from sansio_claude.tools._files import Files, Kind, MemoryFiles
from sansio_claude.tools._loop import ToolLoop
from sansio_claude.tools._offered import ToolParam
from sansio_claude.tools._outcome import Ending, ToolFinished, ToolStarted
from sansio_claude.tools._result import ToolResult
from sansio_claude.tools._run import Run, RunEvent
from sansio_claude.tools._schema import RunnableTool, Tool, tool
from sansio_claude.tools._text_editor import EditorVersion, TextEditor, editor_version

__all__ = [
    "Action",
    "AskModel",
    "AwaitResults",
    "DiskFiles",
    "EditorVersion",
    "Ending",
    "Extraction",
    "Extractor",
    "Files",
    "Finished",
    "Kind",
    "MemoryFiles",
    "Run",
    "RunEvent",
    "RunTools",
    "RunnableTool",
    "TextEditor",
    "Tool",
    "ToolCall",
    "ToolFinished",
    "ToolLoop",
    "ToolParam",
    "ToolResult",
    "ToolStarted",
    "editor_version",
    "tool",
]

for _name in __all__:
    described(globals()[_name])
