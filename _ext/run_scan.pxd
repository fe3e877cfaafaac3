"""What the exact and the loose reading of a line share: where runs, lines and notes are put."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t

from names cimport Names

cdef enum:
    MOST_CELLS = 1 << 20   # a count is read up to here: no grid is larger

# How a line can depart from the grammar. `maskcodec.dialects.text4seg` puts these into words.
cdef enum:
    LINE_START = 0
    BLANK = 1
    SPACING = 2
    SEPARATOR = 3
    STAR = 4
    NO_COUNT = 5
    COUNT_FORM = 6
    NO_LABEL = 7
    STRAY = 8

cdef struct Gap:
    # what stood between a label and its count, or between a count and the next label
    Py_ssize_t start
    Py_ssize_t length   # 0 where none is known
    Py_ssize_t spacing  # how far into it its spacing departs from the grammar, or -1

cdef struct Scan:
    const uint8_t* text
    Py_ssize_t stop
    bint counted
    Names names
    int32_t first          # the label that began the last line
    int32_t* runs          # (label, count) of each run
    Py_ssize_t run_room
    Py_ssize_t run_count
    int32_t* lines         # (end of its runs, first byte, cells) of each line
    Py_ssize_t line_room
    Py_ssize_t line_count
    int32_t* notes         # (kind, byte) of each departure; `noted` counts on when the room is out
    Py_ssize_t note_room
    Py_ssize_t noted
    uint32_t line_notes    # the kinds noted in this line: one note a kind and line is enough
    Gap star               # the last star, and the last bar, that were read byte by byte
    Gap bar
    bint full


cdef inline bint push_run(Scan* s, int32_t label, int64_t count) noexcept nogil:
    """Add a run; False, and `full` is set, where the room for runs or labels is out."""
    if label < 0 or s.run_count >= s.run_room:
        s.full = True
        return False
    s.runs[2 * s.run_count] = label
    s.runs[2 * s.run_count + 1] = <int32_t>count
    s.run_count += 1
    return True


cdef inline void end_line(Scan* s, Py_ssize_t start, int64_t cells) noexcept nogil:
    """Close the line that began at byte `start`."""
    if s.line_count >= s.line_room:
        s.full = True
        return
    s.lines[3 * s.line_count] = <int32_t>s.run_count
    s.lines[3 * s.line_count + 1] = <int32_t>start
    s.lines[3 * s.line_count + 2] = <int32_t>min(cells, <int64_t>1 << 30)
    s.line_count += 1


cdef inline void note(Scan* s, int32_t kind, Py_ssize_t place) noexcept nogil:
    """Say that the line departs from the grammar at byte `place`."""
    if s.line_notes >> kind & 1:
        return
    s.line_notes |= <uint32_t>1 << kind
    if s.noted < s.note_room:
        s.notes[2 * s.noted] = kind
        s.notes[2 * s.noted + 1] = <int32_t>place
    s.noted += 1


cdef inline Py_ssize_t read_number(Scan* s, Py_ssize_t at, int64_t* value) noexcept nogil:
    """Read digits from `at`, a number of MOST_CELLS at most; return where they end."""
    cdef uint32_t digit
    value[0] = 0
    while at < s.stop:
        digit = <uint32_t>s.text[at] - 48
        if digit > 9:
            break
        if value[0] < MOST_CELLS:
            value[0] = value[0] * 10 + digit
        at += 1
    value[0] = min(value[0], <int64_t>MOST_CELLS)
    return at
