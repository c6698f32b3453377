package gauge

import (
	"bufio"
	"bytes"
	"io/fs"
	"path"
	"slices"
	"strconv"
	"strings"
)

// group is a control group with a memory limit: that of the process, or one above
// it.
type group struct {
	root    fs.FS
	limit   uint64
	version *version
	dir     string // where its files are, below root
}

// version is how a version of control groups names its files (Linux,
// admin-guide/cgroup-v2.rst and admin-guide/cgroup-v1/memory.rst).
type version struct {
	limit, usage string
	cache        string // in memory.stat: files that nobody has used for a while
}

var (
	version1 = version{"memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file"}
	version2 = version{"memory.max", "memory.current", "inactive_file"}
)

// noLimit is more than any machine has: the first version says so for none.
const noLimit = 1 << 60

// limitedGroups are the groups that bound the process's memory. The limit of each
// holds for all below it. It finds none where there is no such thing.
func limitedGroups(root fs.FS) (found []group) {
	table, err := fs.ReadFile(root, "proc/self/mountinfo")
	if err != nil {
		return nil
	}
	own, err := fs.ReadFile(root, "proc/self/cgroup")
	if err != nil {
		return nil
	}
	for line := range strings.Lines(string(table)) {
		m, ok := parseMount(line)
		if !ok {
			continue
		}
		if p, ok := m.member(string(own)); ok {
			found = append(found, m.upFrom(root, m.below(p))...)
		}
	}
	return found
}

// mount is where a hierarchy of groups with memory limits is to be seen.
type mount struct {
	version *version
	top     string // the group whose folder it is: "/", or the container's outside of a namespace
	point   string
}

// parseMount reads a line of /proc/self/mountinfo (proc_pid_mountinfo(5)): the
// fields after a dash are the file system's.
func parseMount(line string) (m mount, ok bool) {
	where, what, _ := strings.Cut(line, " - ")
	w, f := strings.Fields(where), strings.Fields(what)
	if len(w) < 5 || len(f) < 3 {
		return m, false
	}
	m = mount{top: w[3], point: w[4]}
	switch f[0] {
	case "cgroup2":
		m.version = &version2
	case "cgroup":
		m.version = &version1
		return m, slices.Contains(strings.Split(f[2], ","), "memory")
	default:
		return m, false
	}
	return m, true
}

// member finds in /proc/self/cgroup in which of the hierarchy's groups the process
// is.
func (m mount) member(own string) (group string, ok bool) {
	for line := range strings.Lines(own) {
		f := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(f) < 3 {
			continue
		}
		v2 := f[0] == "0" && f[1] == ""
		if m.version == &version2 && v2 || m.version == &version1 && slices.Contains(strings.Split(f[1], ","), "memory") {
			return f[2], true
		}
	}
	return "", false
}

// below is the path of a group below the mount's point. A group that is not below
// the mount's top cannot be seen; then it is the top.
func (m mount) below(group string) string {
	rest, ok := strings.CutPrefix(group, strings.TrimSuffix(m.top, "/"))
	if !ok || rest != "" && rest[0] != '/' {
		return "/"
	}
	return path.Clean("/" + rest)
}

// upFrom returns those from dir up to the mount's point that have a limit.
func (m mount) upFrom(root fs.FS, dir string) (found []group) {
	for ; ; dir = path.Dir(dir) {
		g := group{root: root, version: m.version, dir: strings.TrimPrefix(path.Join(m.point, dir), "/")}
		if g.limit = g.number(m.version.limit); g.limit > 0 && g.limit < noLimit {
			found = append(found, g)
		}
		if dir == "/" {
			return found
		}
	}
}

// used is how many bytes of its limit the group uses, without the files that the
// kernel drops from memory before it kills.
func (g group) used() uint64 {
	usage := g.number(g.version.usage)
	stat, err := fs.ReadFile(g.root, path.Join(g.dir, "memory.stat"))
	if err != nil {
		return usage
	}
	for lines := bufio.NewScanner(bytes.NewReader(stat)); lines.Scan(); {
		if name, n, _ := strings.Cut(lines.Text(), " "); name == g.version.cache {
			return less(usage, parse(n))
		}
	}
	return usage
}

// number reads a file with a number in it; 0 when there is none.
func (g group) number(file string) uint64 {
	b, err := fs.ReadFile(g.root, path.Join(g.dir, file))
	if err != nil {
		return 0
	}
	return parse(string(b))
}

// parse reads a number. "max" is none: 0.
func parse(s string) uint64 {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 64)
	if err != nil {
		return 0
	}
	return n
}
