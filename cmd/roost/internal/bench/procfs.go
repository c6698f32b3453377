//go:build linux

package bench

import (
	"bytes"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

var errProc = errors.New("bench: /proc is not as expected")

// field finds "NAME VALUE" in the text of a file of /proc, in which a name may
// end with a colon.
func field(text []byte, name string) (uint64, error) {
	for line := range bytes.Lines(text) {
		words := bytes.Fields(line)
		for i := 0; i+1 < len(words); i++ {
			if string(bytes.TrimSuffix(words[i], []byte{':'})) == name {
				return strconv.ParseUint(string(words[i+1]), 10, 64)
			}
		}
	}
	return 0, fmt.Errorf("%w: no %s", errProc, name)
}

// resident is the memory of a process that is in RAM, in bytes.
type resident struct {
	rss  uint64 // all of it: VmRSS
	anon uint64 // what belongs to no file: RssAnon
}

func (r resident) plus(o resident) resident {
	return resident{r.rss + o.rss, r.anon + o.anon}
}

func residentOf(pid int) (resident, error) {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return resident{}, fmt.Errorf("bench: memory of the server: %w", err)
	}
	rss, err := field(b, "VmRSS")
	anon, err2 := field(b, "RssAnon")
	return resident{rss << 10, anon << 10}, errors.Join(err, err2)
}

// kernelMemory is the machine's, both ends of each connection and everybody
// else's together, in bytes; 0 where the kernel does not tell.
type kernelMemory struct {
	tcp  uint64 // buffers of TCP sockets
	slab uint64 // objects, such as the sockets themselves
}

func kernelMemoryNow() kernelMemory {
	var m kernelMemory
	if b, err := os.ReadFile("/proc/net/sockstat"); err == nil {
		if i := bytes.Index(b, []byte("TCP:")); i >= 0 {
			pages, _ := field(b[i:], "mem") // 0 says unknown
			m.tcp = pages * uint64(os.Getpagesize())
		}
	}
	if b, err := os.ReadFile("/proc/meminfo"); err == nil {
		kib, _ := field(b, "Slab")
		m.slab = kib << 10
	}
	return m
}

// machineCPU is the CPU time of the whole machine since it began.
type machineCPU struct {
	busy   time.Duration // without waiting for disks
	stolen time.Duration // that the host gave to others
}

// tick is USER_HZ, which is 100 wherever Go runs on Linux.
const tick = 10 * time.Millisecond

func machineCPUNow() (machineCPU, error) {
	b, err := os.ReadFile("/proc/stat")
	if err != nil {
		return machineCPU{}, fmt.Errorf("bench: CPU of the machine: %w", err)
	}
	line, _, _ := bytes.Cut(b, []byte{'\n'})
	words := strings.Fields(string(line))
	// cpu user nice system idle iowait irq softirq steal (proc_stat(5))
	if len(words) < 9 || words[0] != "cpu" {
		return machineCPU{}, errProc
	}
	var t [8]time.Duration
	for i := range t {
		n, err := strconv.ParseInt(words[i+1], 10, 64)
		if err != nil {
			return machineCPU{}, errors.Join(errProc, err)
		}
		t[i] = time.Duration(n) * tick
	}
	return machineCPU{busy: t[0] + t[1] + t[2] + t[5] + t[6], stolen: t[7]}, nil
}

// listenerPID finds the process that listens at addr, if it may be seen.
func listenerPID(addr string) (int, error) {
	_, port, err := net.SplitHostPort(addr)
	if err != nil {
		return 0, err
	}
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return 0, err
	}
	for _, table := range []string{"/proc/net/tcp", "/proc/net/tcp6"} {
		b, err := os.ReadFile(table)
		if err != nil {
			continue
		}
		if inode := listenerInode(b, uint16(n)); inode != "" {
			return holder("socket:[" + inode + "]")
		}
	}
	return 0, fmt.Errorf("bench: nothing listens on port %s of this machine", port)
}

// listenerInode finds the listening socket with this port in /proc/net/tcp.
func listenerInode(table []byte, port uint16) string {
	const listening = "0A"
	want := fmt.Sprintf(":%04X", port)
	for line := range strings.Lines(string(table)) {
		// sl local_address rem_address st queues timer retransmits uid timeout inode
		words := strings.Fields(line)
		if len(words) > 9 && words[3] == listening && strings.HasSuffix(words[1], want) {
			return words[9]
		}
	}
	return ""
}

// holder finds the process that has a descriptor of this name.
func holder(name string) (int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/fd/*")
	if err != nil {
		return 0, err
	}
	for _, link := range links {
		if to, err := os.Readlink(link); err == nil && to == name {
			return strconv.Atoi(strings.Split(link, "/")[2])
		}
	}
	return 0, errors.New("bench: the server's process may not be seen from here")
}

// machine is what figures have to be read with.
type machine struct {
	CPU    string `json:"cpu"`
	Cores  int    `json:"cores"`
	Kernel string `json:"kernel"`
}

func machineNow() machine {
	m := machine{CPU: "unknown CPU"}
	if b, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		m.Cores = bytes.Count(b, []byte("processor\t"))
		if _, rest, ok := bytes.Cut(b, []byte("model name\t: ")); ok {
			name, _, _ := bytes.Cut(rest, []byte{'\n'})
			m.CPU = string(name)
		}
	}
	if b, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.Kernel = string(bytes.TrimSpace(b))
	}
	return m
}
