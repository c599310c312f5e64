"""Which lines are pasted machine output: logs, traceroutes, disk and file system tables, stack traces.

Deliberately narrow. ``user: root``, ``IP 203.0.113.87``, lists and tables that a person filled in are
words of the customer; a log line read as words costs a question, words read as a log cost an answer.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

# One such line is machine output whatever stands around it.
_SURE: Final = re.compile(
    "|".join((
        r"\s*\[ {0,8}\d{1,9}\.\d{1,9}\]",  # dmesg
        r"\s*(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) {1,2}\d{1,2} \d\d:\d\d:\d\d \S",  # syslog
        r"\s*[\[<(]?\d{4}[-/]\d\d[-/]\d\d[ T]\d\d:\d\d:\d\d[.,\dZ+:\])>-]{0,20}\s{0,4}[\[{(<\"'A-Z0-9a-z]",  # ISO
        r"\s*\d{1,3} +[A-Z][A-Za-z]+(?:[_-][A-Za-z]+)+ +\S.*\d",  # SMART attributes
        r"\s*ID# ATTRIBUTE_NAME\b",
        r"\s*=== ?START OF ",
        r"\s*SMART overall-health ",
        r"\s*Filesystem +(?:Size|1K-blocks|Type|Inodes)\b",
        r"\s*/dev/\S+ +\S*\d\S*[KMGTP]? +\S*\d.*%",
        r"\s*/dev/\S+ on /",
        r"\s*(?:ata\d+(?:\.\d+)?|EDAC MC\d+|mce|WSREP|nvme\d+|sd [\d:]+|EXT4-fs[^:]{0,40}|XFS \([^)]{1,20}\)|"
        r"blk_update_request|Buffer I/O error[^:]{0,40}|Kernel panic[^:]{0,40}): ?\S",
        r"\s*md\d+ : (?:in)?active ",
        r"\s*\d+ blocks (?:super |\[)",
        r"\s*[\w.@-]{1,40}\[\d{1,9}\]: ",  # sshd[1123]:
        r"\s*(?:PANIC|FATAL|LOG|ERROR|WARNING|HINT|DETAIL): {2}\S",  # PostgreSQL
        r"\s*ALERT! {2}\S",
        r"\s*Traceback \(most recent call last\)",
        r"\s*File \"[^\"]{1,200}\", line \d+",
        r"\s+at [\w.$<>]+\(.*\)",
        r"\s*(?:Caused by|Exception in thread)\b.*(?:Exception|Error|\")",
        r"\s*\d+ bytes from \S+",
        r"\s*PING \S+ ?\(",
        r"\s*Reply from [\d.:a-f]+: ",
        r"\s*--- \S+ ping statistics ---",
        r"\s*\d+ packets transmitted",
        r"\s*(?:traceroute to|Tracing route to|tracert|mtr) \S+.*(?:\(|hops|over)",
        r"\s*\S+ - - \[\d\d/\w{3}/\d{4}:",  # access log
        r"\s*(?:HOST|Host):? +(?:\S+ +)?Loss%",
        r"\s*---\[ end ",
        r"\s*CPU: \d+ PID: \d+ ",
        r"\s*Remounting filesystem|\s*Aborting journal on",
        r"\s*\d{1,2}[.:|]?(?:\|--)? +\S.* \d+(?:[.,]\d+)? ?ms\b",  # one hop
    ))
)  # fmt: skip
# Such a line is machine output when one like it, or a sure one, stands next to it.
_LIKELY: Final = re.compile(
    "|".join((
        r"\s*\d{1,2}[.:]? +\*(?: +\*)*\s*$",  # a silent hop
        r"\s*\d{1,2}[.:|]?(?:\|--)? +(?:[\d.]{7,15}|[\da-f:]{6,39}|\?\?\?|\S+\.\S+) +.*\d+[.,]\d",  # a hop of mtr
        r"\s*(?:\S+ +)?(?:failed command|hard resetting link|exception Emask|soft resetting|SError): ?",
        r"\s*\S{1,60}:\d{1,6}: \S",  # file:line:
        r"\s*[-drwxlst]{10} +\d+ \S+ +\S+ ",
        r"\s*\*+/\*+|\s*\^~*\s*$",
    ))
)  # fmt: skip
_PROMPT: Final = re.compile(
    r"\s*(?:[\w.-]{1,32}@[\w.-]{1,64}[:~][^$#]{0,80}[$#]|[$#]) (?:sudo )?"
    r"(?:df|ls|dmesg|cat|tail|journalctl|systemctl|smartctl|megacli|storcli|mdadm|lsblk|fdisk|free|top|ps|ping|mtr|"
    r"traceroute|ip|ifconfig|ethtool|ss|netstat|mount|lspci|hdparm|nvme|zpool|zfs|lvs|pvs|vgs|dig|host|uptime|grep)\b"
)
_BARE_COMMAND: Final = re.compile(r"\s*(?:smartctl|mdadm|storcli|megacli|dmesg|journalctl) -\S")
_CODE: Final = re.compile(r".*[{}]\s*$|\s*[})\]];?\s*$|\s*(?:#include|import \w+|def \w+\(|function \w+\(|return\b.*;)")
_PERSON: Final = re.compile(  # what no log rule may take: a label with a value, a way in, a table with bars
    r"\s*[|+]|.*\|.*\||\s*(?:[-*•–]\s|\d{1,2}[.)]\s+[^\W\d_])|\s*(?:ssh|rdp|ftp|sftp)\s+\S+@"
)
_MIN_CODE: Final = 3


def log_lines(lines: Sequence[str]) -> list[bool]:
    """For each line whether it is machine output. Blank lines are not; their neighbours decide."""
    sure = [bool(line.strip()) and _is_sure(line) for line in lines]
    likely = [not sure[i] and bool(line.strip()) and _is_likely(line) for i, line in enumerate(lines)]
    found = list(sure)
    for i, is_likely in enumerate(likely):
        around = [n for n in (i - 1, i + 1) if 0 <= n < len(lines)]
        found[i] = found[i] or (is_likely and any(sure[n] or likely[n] for n in around))
    for i, line in enumerate(lines):
        if _PROMPT.match(line) or (_BARE_COMMAND.match(line) and _near(found, i)):
            found[i] = True
            if _PROMPT.match(line):
                _take_output(lines, found, i + 1)
    _take_code(lines, found)
    return found


def _is_sure(line: str) -> bool:
    return _SURE.match(line) is not None and not _looks_like_list(line)


def _is_likely(line: str) -> bool:
    return _LIKELY.match(line) is not None and not _PERSON.match(line)


def _looks_like_list(line: str) -> bool:
    """ "1. riavviare entro 30 ms" is a person's list: letters only, no columns."""
    return bool(re.match(r"\s*\d{1,2}[.)] +[^\W\d_]{2,}(?: +[^\W\d_]+){3,}", line))


def _near(found: Sequence[bool], at: int) -> bool:
    return any(found[n] for n in range(at + 1, min(at + 6, len(found))))


def _take_output(lines: Sequence[str], found: list[bool], at: int) -> None:
    """What follows a shell prompt up to the next blank line is the command's output."""
    while at < len(lines) and lines[at].strip():
        found[at] = True
        at += 1


def _take_code(lines: Sequence[str], found: list[bool]) -> None:
    run: list[int] = []
    for i, line in enumerate([*lines, ""]):
        if line.strip() and _CODE.match(line):
            run.append(i)
            continue
        if line.strip() and run and line.startswith(("  ", "\t")):  # the indented inside of a block
            run.append(i)
            continue
        if len(run) >= _MIN_CODE and sum(1 for n in run if _CODE.match(lines[n])) >= 2:
            for n in run:
                found[n] = True
        run = []
