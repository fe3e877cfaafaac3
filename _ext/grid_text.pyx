# cython: language_level=3, binding=False
"""Runs of labels, `others *7| white horse *1| others *8`, from text to arrays and to text.

`scan` reads a text line by line. A line is first read by the exact grammar, where each label is
guessed: it is the one that followed its predecessor the last time. One comparison proves the guess,

      others *7| white horse *1| others *8
      ^^^^^^ ^^  ^^^^^^^^^^^ ^^  ^^^^^^ ^^     comparison, number, comparison, number, ...

so a valid text costs a comparison and a number a run. Only where that fails is the line read again,
by a reading that takes anything and notes how it departs from the grammar (`loose_line.pxd`): byte
by byte, or by comparisons too where a run is spelt as one before it. A fault costs its own line
alone. A line with the bytes of the one before it, as grids have many, is not read at all: its runs
and notes are copied.

The text comes from a language model. Nothing is allocated after a number that it states, every byte
is read below `stop`, and every write is preceded by a look at the room that the caller gave.
"""

from cpython.buffer cimport (
    PyBUF_SIMPLE,
    PyBUF_WRITABLE,
    PyBuffer_Release,
    PyObject_GetBuffer,
)
from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from libc.string cimport memchr

from label_runs cimport expand_runs
from loose_line cimport loose_line
from names cimport GUESSED, close_names, intern_name, open_names, same_bytes
from run_scan cimport Scan, end_line, note, push_run, read_number

cdef enum:
    OPEN = 1       # the text ends within a line
    FULL = 2       # the room for runs, lines or labels ran out
    GRID = 4       # every line was exact, and they filled the grid


cdef Py_ssize_t _exact_label(Scan* s, Py_ssize_t at, int32_t* label) noexcept nogil:
    """Read a label up to its ` *` (or, without counts, up to its end); return that, or -1."""
    cdef Py_ssize_t end = at
    cdef uint8_t byte = 0
    while end < s.stop:
        byte = s.text[end]
        if byte == c"*" or byte == c"|" or byte == c"\n":
            break
        end += 1
    if s.counted:
        end -= 1
        if end <= at or end + 1 == s.stop or byte != c"*" or s.text[end] != c" ":
            return -1
    elif end <= at or end < s.stop and byte == c"*":
        return -1
    if s.text[at] == c" " or s.text[end - 1] == c" ":
        return -1
    label[0] = intern_name(&s.names, at, end)
    return end


cdef inline bint _guessed(Scan* s, Py_ssize_t at, int32_t label) noexcept nogil:
    """Whether the run at `at` has this label."""
    cdef Py_ssize_t end = at + s.names.length[label]
    if s.stop - end <= 2:
        return False
    if s.counted:
        if s.text[end] != c" " or s.text[end + 1] != c"*":
            return False
    elif s.text[end] != c"|" and s.text[end] != c"\n":
        return False
    return same_bytes(s.text + at, s.names.start[label], s.names.length[label])


cdef Py_ssize_t _exact_line(Scan* s, Py_ssize_t at, int64_t* cells) noexcept nogil:
    """Read one line by the grammar; return the byte after it, or -1 where it departs from that.

    A line ends with a newline or with the text.
    """
    cdef const uint8_t* text = s.text
    cdef Py_ssize_t stop = s.stop
    cdef int32_t label = s.first, last = -1
    cdef int64_t count = 1
    cdef uint32_t digit
    cells[0] = 0
    while True:
        if _guessed(s, at, label):
            at += s.names.length[label]
        else:
            at = _exact_label(s, at, &label)
            if at < 0:
                return -1
        if s.counted:
            at += 2
            if at >= stop:
                return -1
            count = <uint32_t>text[at] - 48
            if count < 1 or count > 9:
                return -1
            at += 1
            digit = <uint32_t>text[at] - 48 if at < stop else 10
            if digit <= 9:
                count = count * 10 + digit
                at += 1
                if at < stop and <uint32_t>text[at] - 48 <= 9:
                    at = read_number(s, at - 2, &count)
        if not push_run(s, label, count):
            return stop
        cells[0] += count
        if label >= GUESSED:
            label = 0
        if last < 0:
            s.first = label
        else:
            s.names.follow[last] = <uint8_t>label
        if at >= stop:
            return stop
        if text[at] == c"\n":
            return at + 1
        if text[at] != c"|" or stop - at < 2 or text[at + 1] != c" ":
            return -1
        at += 2
        last = label
        label = s.names.follow[last]


cdef struct Line:
    Py_ssize_t start    # its first byte, behind the space that an exact line begins with
    Py_ssize_t length   # with its newline; -1 where the line cannot be taken once more
    bint is_exact
    int64_t cells
    Py_ssize_t runs     # its first run
    Py_ssize_t notes    # its first note


cdef inline bint _is_repeated(Scan* s, Line* before, Py_ssize_t begin) noexcept nogil:
    """Whether the line at `begin` has the bytes of the line before it."""
    if before.is_exact:
        if s.text[begin] != c" ":
            return False
        begin += 1
    return 0 < before.length <= s.stop - begin and same_bytes(
        s.text + begin, s.text + before.start, before.length
    )


cdef void _repeat_line(Scan* s, Line* before, Py_ssize_t begin) noexcept nogil:
    """Take the runs and the notes of the line before once more; `full` is set without room."""
    cdef Py_ssize_t runs = s.run_count, notes = s.noted, i
    if s.run_room - runs < runs - before.runs:
        s.full = True
        return
    for i in range(before.runs, runs):
        s.runs[2 * s.run_count] = s.runs[2 * i]
        s.runs[2 * s.run_count + 1] = s.runs[2 * i + 1]
        s.run_count += 1
    s.line_notes = 0
    for i in range(before.notes, notes):
        note(s, s.notes[2 * i], s.notes[2 * i + 1] - before.start + begin)
    end_line(s, begin, before.cells)
    before.start = begin + before.is_exact
    before.runs = runs
    before.notes = notes


cdef Py_ssize_t _read_line(Scan* s, Line* line, Py_ssize_t begin, bint first) noexcept nogil:
    """Read the line at `begin`, exactly or else loosely; return where the next one begins."""
    cdef Py_ssize_t at = -1, lines = s.line_count
    cdef const void* newline
    line.runs = s.run_count
    line.notes = s.noted
    if first or s.text[begin] == c" ":
        line.start = begin + (not first)
        at = _exact_line(s, line.start, &line.cells)
    if at >= 0:
        line.is_exact = True
        line.length = at - line.start
        end_line(s, begin, line.cells)
        return at
    s.run_count = line.runs
    newline = memchr(s.text + begin, c"\n", s.stop - begin)
    at = s.stop if newline == NULL else <const uint8_t*>newline - s.text + 1
    loose_line(s, begin, at - (newline != NULL), first)
    line.is_exact = False
    line.start = begin
    line.length = -1
    if s.line_count > lines and not first:  # neither blank nor without a newline before it
        line.cells = s.lines[3 * lines + 2]
        line.length = at - begin
    return at


cdef int _scan(Scan* s, Py_ssize_t start) noexcept nogil:
    """Read all lines; return the OPEN and FULL flags."""
    cdef Py_ssize_t at = start
    cdef Line line = Line(start=start, length=-1, is_exact=False, cells=0, runs=0, notes=0)
    while at < s.stop and not s.full:
        if s.noted <= s.note_room and _is_repeated(s, &line, at):
            _repeat_line(s, &line, at)
            at = line.start + line.length
        else:
            at = _read_line(s, &line, at, at == start)
    if s.full:
        return FULL
    return OPEN if s.stop == start or s.text[s.stop - 1] != c"\n" else 0


cdef bint _fits(Scan* s, Py_ssize_t rows, Py_ssize_t columns) noexcept nogil:
    """Whether the lines are the rows of the grid, as the grammar has them."""
    cdef Py_ssize_t i
    if s.noted or s.line_count != rows:
        return False
    for i in range(rows):
        if s.lines[3 * i + 2] != columns:
            return False
    return True


def scan(
    bytes text, Py_ssize_t start, Py_ssize_t stop, bint counted, bytes background,
    Py_ssize_t rows, Py_ssize_t columns, room, cells
):
    """Read the runs of text[start:stop].

    Args:
        text: UTF-8.
        start: the first byte of the first line.
        stop: the byte after the last line.
        counted: whether runs are `label *count`; otherwise each label is one cell.
        background: the name of label 0.
        rows: the lines that make a grid.
        columns: the cells of each of them.
        room: int32 (9 n,) with n >= 1, becomes, one after the other,
            (n, 2) label and count of each run,
            (n, 3) end of its runs, first byte and cells of each line,
            (n, 2) first byte and end of each label, where entry 0 is unused,
            (n, 2) kind and byte of each departure from the grammar.
            One array, because every buffer that is passed costs as much as some lines of text.
        cells: int32 (rows, columns), becomes the labels of the cells where the GRID flag is set.

    Returns:
        flags (OPEN, FULL, GRID), and how many runs, lines, labels and notes there are; notes beyond
        the room for them are counted.
    """
    cdef Py_buffer table, grid
    cdef Scan s
    cdef int flags = 0
    cdef Py_ssize_t n
    if not 0 <= start <= stop <= len(text) or stop >= 2147483647:
        raise ValueError("start and stop must lie in the text, below 2 GiB")
    PyObject_GetBuffer(room, &table, PyBUF_SIMPLE | PyBUF_WRITABLE)
    try:
        PyObject_GetBuffer(cells, &grid, PyBUF_SIMPLE | PyBUF_WRITABLE)
        try:
            n = table.len // 36
            if n < 1 or min(rows, columns) < 0 or rows * columns > grid.len // 4:
                raise ValueError("cells must hold rows * columns, and room at least 9")
            s.text = <const uint8_t*><const char*>text
            s.stop = stop
            s.counted = counted
            s.first = 0
            s.runs = <int32_t*>table.buf
            s.lines = s.runs + 2 * n
            s.notes = s.runs + 7 * n
            s.run_room = s.line_room = s.note_room = n
            s.run_count = s.line_count = s.noted = 0
            s.line_notes = 0
            s.star.length = s.bar.length = 0
            s.full = False
            open_names(
                &s.names, s.text, s.runs + 5 * n, n,
                <const uint8_t*><const char*>background, len(background)
            )
            with nogil:
                flags = _scan(&s, start)
                if not flags and _fits(&s, rows, columns):
                    flags = GRID
                    expand_runs(s.runs, 0, s.run_count, <int32_t*>grid.buf, rows * columns)
                close_names(&s.names)
        finally:
            PyBuffer_Release(&grid)
    finally:
        PyBuffer_Release(&table)
    return flags, s.run_count, s.line_count, s.names.count, s.noted
