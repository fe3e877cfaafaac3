"""The loose reading of one line of runs: any bytes mean something, and each departure is noted."""

from libc.stdint cimport int32_t, int64_t, uint8_t

from names cimport intern_name, is_recent, same_bytes
from run_scan cimport (
    BLANK,
    COUNT_FORM,
    LINE_START,
    NO_COUNT,
    NO_LABEL,
    SEPARATOR,
    SPACING,
    STAR,
    STRAY,
    Gap,
    Scan,
    end_line,
    note,
    push_run,
    read_number,
)


cdef inline bint _is_space(uint8_t byte) noexcept nogil:
    return byte == c" " or 9 <= byte <= 13


cdef inline bint _is_digit(uint8_t byte) noexcept nogil:
    return 48 <= byte <= 57


cdef inline Py_ssize_t _skip_space(Scan* s, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    while at < end and _is_space(s.text[at]):
        at += 1
    return at


cdef inline Py_ssize_t _trim(Scan* s, Py_ssize_t start, Py_ssize_t end) noexcept nogil:
    while end > start and _is_space(s.text[end - 1]):
        end -= 1
    return end


cdef inline int _star(Scan* s, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """The bytes of a star, or of a multiplication sign (C3 97 in UTF-8), at `at`; or 0."""
    if not s.counted:
        return 0
    if s.text[at] == c"*":
        return 1
    return 2 if s.text[at] == 0xC3 and at + 1 < end and s.text[at + 1] == 0x97 else 0


cdef inline bint _has_marks(Scan* s, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """Whether a line holds a star or a bar; one that does not may part its labels with commas."""
    while at < end:
        if s.text[at] == c"|" or _star(s, at, end):
            return True
        at += 1
    return False


cdef inline Py_ssize_t _times(
    Scan* s, Py_ssize_t start, Py_ssize_t end, int64_t* count
) noexcept nogil:
    """Read `dog x3` as three dogs; return the end of the label, or -1 where that is not there."""
    cdef Py_ssize_t at = end
    while at > start and _is_digit(s.text[at - 1]):
        at -= 1
    if at == end:
        return -1
    read_number(s, at, count)
    at = _trim(s, start, at)
    if at - 2 <= start or s.text[at - 1] | 32 != c"x" or not _is_space(s.text[at - 2]):
        return -1
    at = _trim(s, start, at - 1)
    return at if at > start else -1


cdef inline Py_ssize_t _count(
    Scan* s, Py_ssize_t at, Py_ssize_t end, int64_t* count
) noexcept nogil:
    """Read what stands for a count after a star; return where it ends. No count means 1."""
    cdef Py_ssize_t start = _skip_space(s, at, end), digits = start
    while digits < end and (s.text[digits] == c"-" or s.text[digits] == c"+"):
        digits += 1
    if digits == end or not _is_digit(s.text[digits]):
        note(s, NO_COUNT, at)
        count[0] = 1
        return at
    if start != at:
        note(s, SPACING, at)
    if digits != start or s.text[digits] == c"0":
        note(s, COUNT_FORM, start)
    return read_number(s, digits, count)


cdef inline Py_ssize_t _separator(
    Scan* s, Py_ssize_t at, Py_ssize_t end, bint* parted
) noexcept nogil:
    """Pass what stands between two runs; return where the next run begins."""
    cdef Py_ssize_t mark = _skip_space(s, at, end), following
    parted[0] = True
    if mark != at:
        note(s, SPACING, at)
    if mark == end:
        return end
    if s.text[mark] == c"|":
        following = _skip_space(s, mark + 1, end)
        if following == end:
            note(s, NO_LABEL, mark)
        elif following != mark + 2 or s.text[mark + 1] != c" ":
            note(s, SPACING, mark + 1)
        return following
    note(s, SEPARATOR, mark)
    if s.text[mark] == c"," or s.text[mark] == c";":
        return _skip_space(s, mark + 1, end)
    parted[0] = False
    return mark


cdef inline Py_ssize_t _mark(
    Scan* s, Py_ssize_t start, Py_ssize_t end, bint commas, int32_t* label
) noexcept nogil:
    """Where the label from `start` on ends: at a star, a bar, perhaps a comma, or the line's end.

    `label` becomes its number where a label seen lately stands there, otherwise -1.
    """
    cdef Py_ssize_t at = start, length = 0
    if not commas and is_recent(&s.names, start, end, &length):
        at = _skip_space(s, start + length, end)
        if at < end and (s.text[at] == c"|" or s.counted and s.text[at] == c"*"):
            label[0] = s.names.recent
            return at
        at = start
    label[0] = -1
    while at < end and s.text[at] != c"|" and not _star(s, at, end):
        if commas and (s.text[at] == c"," or s.text[at] == c";"):
            break
        at += 1
    return at


cdef inline bint _is_gap(Scan* s, const Gap* gap, Py_ssize_t at, Py_ssize_t end) noexcept nogil:
    """Whether the known gap stands at `at`, with a byte after it."""
    return 0 < gap.length < end - at and same_bytes(s.text + at, s.text + gap.start, gap.length)


cdef inline bint _read_alike(
    Scan* s, Py_ssize_t* at, Py_ssize_t end, int64_t* cells
) noexcept nogil:
    """Read a run of one of the last two labels, spelt as what was read byte by byte before it.

    Models keep to a spelling once they have begun with it. Returns whether this run does;
    otherwise nothing is read.
    """
    cdef Py_ssize_t place = at[0], length = 0, star, bar
    cdef int64_t count
    if s.star.length == 0 or not is_recent(&s.names, place, end, &length):
        return False
    star = place + length
    if not _is_gap(s, &s.star, star, end):
        return False
    place = star + s.star.length
    if not _is_digit(s.text[place]) or s.text[place] == c"0":
        return False
    bar = place = read_number(s, place, &count)
    if bar < end:
        if not _is_gap(s, &s.bar, bar, end):
            return False
        place += s.bar.length
        if _is_space(s.text[place]):
            return False
    if s.star.spacing >= 0:
        note(s, SPACING, star + s.star.spacing)
    if bar < end and s.bar.spacing >= 0:
        note(s, SPACING, bar + s.bar.spacing)
    if push_run(s, s.names.recent, count):
        cells[0] += count
        at[0] = place
    return True


cdef inline void _learn_star(Scan* s, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Keep what stands between a label and its count: a star, perhaps with white space around."""
    s.star = Gap(start, stop - start, -1)
    if s.text[start] != c" " or s.text[start + 1] != c"*":
        s.star.spacing = 0
    elif s.star.length > 2:
        s.star.spacing = 2


cdef inline void _learn_bar(Scan* s, Py_ssize_t start, Py_ssize_t stop) noexcept nogil:
    """Keep what stands between two runs: a bar, perhaps with white space around."""
    s.bar = Gap(start, stop - start, -1)
    if s.text[start] != c"|":
        s.bar.spacing = 0
    elif s.bar.length != 2 or s.text[start + 1] != c" ":
        s.bar.spacing = 1


cdef inline void _loose_run(
    Scan* s, Py_ssize_t* at, Py_ssize_t end, bint commas, bint* parted, int64_t* cells
) noexcept nogil:
    """Read one run, whatever it looks like; `full` is set where the room is out."""
    cdef int32_t label = -1
    cdef Py_ssize_t start = at[0], mark = _mark(s, start, end, commas, &label), label_end, shorter
    cdef Py_ssize_t digits, run_end, bar
    cdef int64_t count = 1
    cdef int star = _star(s, mark, end) if mark < end else 0
    label_end = _trim(s, start, mark)
    at[0] = label_end
    if star:
        if star == 2:
            note(s, STAR, mark)
        if label_end > start and (label_end != mark - 1 or s.text[label_end] != c" "):
            note(s, SPACING, label_end)
        digits = _skip_space(s, mark + star, end)
        if star == 1 and digits < end and _is_digit(s.text[digits]):
            _learn_star(s, label_end, digits)
        at[0] = _count(s, mark + star, end, &count)
    elif label_end > start and parted[0] and s.counted:
        shorter = _times(s, start, label_end, &count)
        note(s, NO_COUNT if shorter < 0 else STAR, label_end if shorter < 0 else shorter)
        if shorter < 0:
            count = 1
        else:
            label_end = shorter
            label = -1
    if label_end == start:
        note(s, NO_LABEL, start)
    elif not (star or parted[0]):
        note(s, STRAY, start)
    if star or label_end > start and parted[0]:
        if label < 0:
            label = intern_name(&s.names, start, label_end) if label_end > start else 0
        if not push_run(s, label, count):
            return
        cells[0] += count
    run_end = at[0]
    bar = _skip_space(s, run_end, end)
    at[0] = _separator(s, run_end, end, parted)
    if at[0] < end and s.text[bar] == c"|":
        _learn_bar(s, run_end, at[0])


cdef inline void loose_line(Scan* s, Py_ssize_t start, Py_ssize_t end, bint first) noexcept nogil:
    """Read the line text[start:end], whatever it holds; `full` is set where the room is out."""
    cdef Py_ssize_t begin = _skip_space(s, start, end), at = begin
    cdef bint parted = True, commas = False, is_searched = False
    cdef int64_t cells = 0
    s.line_notes = 0
    if at == end:
        note(s, BLANK, start)
        return
    if at != start + (not first) or not first and s.text[start] != c" ":
        note(s, LINE_START, start)
    while at < end and not s.full:
        if _read_alike(s, &at, end, &cells):
            parted = True
            continue
        if not is_searched:
            commas = not _has_marks(s, begin, end)
            is_searched = True
        _loose_run(s, &at, end, commas, &parted, &cells)
    end_line(s, start, cells)
