package poll_test

import (
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roostgo/roost/internal/lane"
	"github.com/roostgo/roost/internal/poll"
)

func open(t testing.TB) *poll.Poller {
	t.Helper()
	p, err := poll.Open()
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = p.Close() })
	return p
}

// pair is two connected sockets: the near end is for the poller.
func pair(t testing.TB) (near, far int) {
	t.Helper()
	fds, err := unix.Socketpair(unix.AF_UNIX, unix.SOCK_STREAM|unix.SOCK_NONBLOCK|unix.SOCK_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _, _ = unix.Close(fds[0]), unix.Close(fds[1]) })
	return fds[0], fds[1]
}

func write(t testing.TB, fd int, s string) {
	t.Helper()
	if _, err := unix.Write(fd, []byte(s)); err != nil {
		t.Fatal(err)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func sleepy() bool { return true }

// wait is Wait with an end, so that a test fails instead of hanging.
func wait(t testing.TB, p *poll.Poller) []poll.Event {
	t.Helper()
	events, err := p.Wait(time.Now().Add(10*time.Second), sleepy)
	must(t, err)
	return events
}

func TestADescriptorIsReportedByItsToken(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	token := uint64(77)<<32 | uint64(near) //nolint:gosec // not negative
	must(t, p.Add(near, token))
	if got := p.Poll(); len(got) != 0 {
		t.Errorf("%v is ready before anything came", got)
	}
	write(t, far, "x")
	for range 2 { // as long as nobody reads it
		if got := wait(t, p); len(got) != 1 || got[0].Token != token || got[0].Ready&poll.Readable == 0 || got[0].Ready&poll.Writable != 0 || poll.Broken(got[0].Ready) {
			t.Errorf("got %v", got)
		}
	}
	if got := p.Poll(); len(got) != 1 {
		t.Errorf("Poll: %v", got)
	}
}

func TestWatchSaysWhatIsReported(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	write(t, far, "x")
	for _, row := range []struct {
		input, output bool
		want          uint32
	}{{true, true, unix.EPOLLIN | unix.EPOLLOUT}, {false, true, unix.EPOLLOUT}, {true, false, unix.EPOLLIN}, {false, false, 0}} {
		must(t, p.Watch(near, 1, row.input, row.output, row.input))
		var got uint32
		for _, e := range p.Poll() {
			got |= e.Ready
		}
		if got != row.want {
			t.Errorf("%+v: got %x", row, got)
		}
	}
	must(t, p.Remove(near))
	if err := p.Watch(near, 1, true, true, true); err == nil {
		t.Error("a removed descriptor can be watched")
	}
}

func TestAHalfCloseIsInputAndAnEndIsBroken(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	must(t, unix.Shutdown(far, unix.SHUT_WR))
	if got := wait(t, p); len(got) != 1 || got[0].Ready&poll.Readable == 0 || poll.Broken(got[0].Ready) {
		t.Errorf("half close: %v", got)
	}
	must(t, p.Watch(near, 1, false, false, false))
	if got := p.Poll(); len(got) != 0 {
		t.Errorf("nothing is watched: %v", got)
	}
	must(t, unix.Shutdown(far, unix.SHUT_RDWR))
	if got := wait(t, p); len(got) != 1 || !poll.Broken(got[0].Ready) {
		t.Errorf("end: %v", got)
	}
}

func TestAClosedDescriptorIsForgotten(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	write(t, far, "x")
	must(t, unix.Close(near))
	if got := p.Poll(); len(got) != 0 {
		t.Errorf("got %v", got)
	}
}

func TestWhatCannotBeWatchedIsAnError(t *testing.T) {
	p := open(t)
	if err := p.Add(1<<20, 1); err == nil {
		t.Error("a descriptor that is not open was added")
	}
	f, err := os.CreateTemp(t.TempDir(), "")
	must(t, err)
	defer func() { _ = f.Close() }()
	if err := p.Add(int(f.Fd()), 1); err == nil {
		t.Error("a file was added")
	}
}

func TestMoreThanABatchIsReportedInTurns(t *testing.T) {
	const n = 700
	p := open(t)
	for i := range n {
		near, far := pair(t)
		must(t, p.Add(near, uint64(i))) //nolint:gosec // not negative
		write(t, far, "x")
	}
	seen := make(map[uint64]bool)
	for range 10 {
		for _, e := range wait(t, p) {
			seen[e.Token] = true
		}
	}
	if len(seen) != n {
		t.Errorf("%d of %d were reported", len(seen), n)
	}
}

func TestWaitEndsAtItsDeadline(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	for _, d := range []time.Duration{30 * time.Millisecond, 30 * time.Millisecond, -time.Hour, 0, time.Millisecond} {
		began := time.Now()
		events, err := p.Wait(began.Add(d), sleepy)
		if took := time.Since(began); err != nil || len(events) != 0 || took < d || took > max(d, 0)+20*time.Second {
			t.Errorf("after %v: %v, %v, want %v", took, events, err, d)
		}
	}
	write(t, far, "x") // what is ready is reported, deadline or not
	if events, err := p.Wait(time.Now().Add(-time.Hour), sleepy); err != nil || len(events) != 1 {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestADeadlineThatHasPassedIsNotRemembered(t *testing.T) {
	p := open(t)
	past := time.Now().Add(-time.Hour)
	_, _ = p.Wait(past, sleepy)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	time.AfterFunc(20*time.Millisecond, func() { _, _ = unix.Write(far, []byte("x")) })
	if events, err := p.Wait(time.Time{}, sleepy); err != nil || len(events) != 1 {
		t.Errorf("got %v, %v", events, err)
	}
}

func TestWaitDoesNotSleepWhenThereIsSomethingToDo(t *testing.T) {
	p := open(t)
	asked := 0
	busy := func() bool { asked++; return false }
	events, err := p.Wait(time.Time{}, busy)
	if err != nil || len(events) != 0 || asked != 1 {
		t.Errorf("got %v, %v, asked %d times", events, err, asked)
	}
	near, far := pair(t)
	must(t, p.Add(near, 1))
	write(t, far, "x")
	if events, err := p.Wait(time.Time{}, busy); err != nil || len(events) != 1 {
		t.Errorf("with something to do what is ready is not seen: %v, %v", events, err)
	}
}

func TestWakeEndsAWait(t *testing.T) {
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	for range 1000 {
		var late atomic.Bool
		go p.Wake() // before, while or after it falls asleep
		if _, err := p.Wait(time.Time{}, func() bool {
			go func() { late.Store(true); p.Wake() }()
			return true
		}); err != nil {
			t.Fatal(err)
		}
	}
	write(t, far, "x")
	for events := wait(t, p); len(events) == 0; events = wait(t, p) { // a wake-up of before may still come
	}
}

// TestPostingsAreNeverLost is how a loop uses a poller: the owner parks
// whenever its lane is at rest, many post, and something is ready now and then.
func TestPostingsAreNeverLost(t *testing.T) {
	const posters, each = 6, 5000
	p := open(t)
	near, far := pair(t)
	must(t, p.Add(near, 1))
	l := lane.New(p.Wake, 64)
	var ran int
	count := lane.Func(func() { ran++ })
	var wait sync.WaitGroup
	for i := range posters {
		wait.Go(func() { post(l, count, far, i, each) })
	}
	var parked int
	for ran < posters*each {
		events, err := p.Wait(time.Now().Add(20*time.Second), func() bool {
			rest := l.Rest()
			if rest {
				parked++
			}
			return rest
		})
		if err != nil {
			t.Fatal(err)
		}
		if len(events) > 0 {
			drain(near)
		}
		if l.Drain() == 0 && len(events) == 0 && l.Stats().Depth == 0 && parked > posters*each*4 {
			t.Fatalf("%d of %d ran", ran, posters*each)
		}
	}
	wait.Wait()
	t.Logf("parked %d times", parked)
}

func post(l *lane.Lane, task lane.Task, far, i, n int) {
	for k := range n {
		switch (k + i) % 3 {
		case 0:
			l.Post(task, nil)
		case 1:
			l.Send(task, nil)
		default:
			_, _ = unix.Write(far, []byte("x"))
			l.Send(task, nil)
		}
		if k%100 == i {
			spin() // let the owner fall asleep
		}
	}
}

// spin is a moment in which others run.
func spin() {
	for range 50 {
		syscall.Getpid()
	}
}

func drain(fd int) {
	var b [4096]byte
	for {
		if n, err := unix.Read(fd, b[:]); n <= 0 || err != nil {
			return
		}
	}
}

func TestCloseReleasesTheDescriptorsAndWakeMayComeLate(t *testing.T) {
	before := descriptors(t)
	for range 200 {
		p, err := poll.Open()
		must(t, err)
		near, far := pair(t)
		must(t, p.Add(near, 1))
		var wait sync.WaitGroup
		for range 4 {
			wait.Go(func() {
				for range 20 {
					p.Wake()
				}
			})
		}
		_, _ = p.Wait(time.Now().Add(time.Millisecond), sleepy)
		must(t, p.Close())
		wait.Wait()
		must(t, unix.Close(near))
		must(t, unix.Close(far))
	}
	if after := descriptors(t); len(after) > len(before) {
		t.Errorf("descriptors are left: before %v, after %v", before, after)
	}
}

func descriptors(t testing.TB) []string {
	t.Helper()
	list, err := os.ReadDir("/proc/self/fd")
	must(t, err)
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	slices.Sort(names)
	return names
}

func BenchmarkWakeOfASleeper(b *testing.B) {
	p := open(b)
	asleep := func() bool { go p.Wake(); return true }
	b.ReportAllocs()
	for b.Loop() {
		_, _ = p.Wait(time.Time{}, asleep)
	}
}
