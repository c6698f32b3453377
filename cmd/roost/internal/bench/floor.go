//go:build linux

package bench

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"time"
)

// floorRun measures a bare write(2) loop over established sockets.
type floorRun struct {
	conns, size, window int
	coalesce, lasting   time.Duration
}

// unitFloor is the measurement that defines w: the CPU time of one delivery of
// 128 bytes in it. It is the same for all scenarios, whatever their receivers
// do, so that their figures can be compared.
var unitFloor = floorRun{conns: 5000, size: 128, window: 4, coalesce: 500 * time.Microsecond, lasting: 2 * time.Second}

// cost is the writer's CPU time per delivery.
func (a writeAnswer) cost() time.Duration {
	if a.Deliveries == 0 {
		return 0
	}
	return time.Duration(a.CPU / int64(a.Deliveries))
}

// run starts a process that writes and one that reads, and has them measure.
func (f floorRun) run(ctx context.Context, c clock) (writeAnswer, error) {
	r, w, err := os.Pipe()
	if err != nil {
		return writeAnswer{}, err
	}
	defer r.Close()
	defer w.Close()
	writer, err := startProcess(ctx, "writer", r)
	if err != nil {
		return writeAnswer{}, err
	}
	defer writer.stop()
	reader, err := startProcess(ctx, "worker", w)
	if err != nil {
		return writeAnswer{}, err
	}
	defer reader.stop()
	if err := f.establish(ctx, c, writer, reader); err != nil {
		return writeAnswer{}, err
	}
	return f.write(ctx, writer)
}

// establish connects the reader to the writer.
func (f floorRun) establish(ctx context.Context, c clock, writer, reader *process) error {
	at, err := ask[listenAnswer](ctx, writer, "listen", struct{}{})
	if err != nil {
		return err
	}
	set := setupOrder{
		Addr: at.Addr, Conns: f.conns, Topics: 1, Source: 2, Sources: sourcesEach,
		Raw: f.size, Coalesce: int64(f.coalesce), Timeout: int64(answerWithin),
	}
	if _, err := ask[setupAnswer](ctx, reader, "setup", set); err != nil {
		return err
	}
	if _, err := ask[struct{}](ctx, reader, "measure", measureOrder{Window: f.window}); err != nil {
		return err
	}
	accepted, err := give[struct{}](writer, "accept", acceptOrder{Conns: f.conns, Within: int64(answerWithin)})
	if err != nil {
		return err
	}
	got, err := ask[connectAnswer](ctx, reader, "connect", connectOrder{At: c.now(), Inflight: 256})
	if err != nil {
		return err
	}
	if got.Joined < f.conns {
		return fmt.Errorf("bench: floor: only %d of %d connections (%s)", got.Joined, f.conns, causes(got.Failures))
	}
	_, err = accepted.wait(ctx, answerWithin)
	return err
}

// write measures, after the sockets have been used once.
func (f floorRun) write(ctx context.Context, writer *process) (writeAnswer, error) {
	o := writeOrder{Size: f.size, Window: f.window, For: int64(f.lasting)}
	warm := o
	warm.For = int64(f.lasting / 10)
	if _, err := ask[writeAnswer](ctx, writer, "write", warm); err != nil {
		return writeAnswer{}, err
	}
	c, err := give[writeAnswer](writer, "write", o)
	if err != nil {
		return writeAnswer{}, err
	}
	return c.wait(ctx, f.lasting+2*drainWithin)
}

// floorScenario is `roost bench floor`.
type floorScenario struct {
	floorRun
	json string
}

func (f *floorScenario) register(fs *flag.FlagSet) {
	fs.IntVar(&f.conns, "n", unitFloor.conns, "connections")
	fs.IntVar(&f.size, "size", unitFloor.size, "bytes of a write")
	fs.IntVar(&f.window, "window", unitFloor.window, "rounds (a write to each) in flight")
	fs.DurationVar(&f.coalesce, "coalesce", unitFloor.coalesce, "the reader reads only so often; 0: at once")
	fs.DurationVar(&f.lasting, "duration", 5*time.Second, "how long to write")
	fs.StringVar(&f.json, "json", "", "write the figures to this `file` too")
}

func (f *floorScenario) check() error {
	if f.conns < 1 || f.conns > mostPerProcess || f.size < 1 || f.window < 1 || f.lasting <= 0 || f.coalesce < 0 {
		return fmt.Errorf("-n has to be 1 to %d, -size, -window and -duration positive", mostPerProcess)
	}
	return nil
}

var errNoDelivery = errors.New("bench: floor: nothing was delivered")

func (f *floorScenario) conduct(ctx context.Context) (*report, error) {
	before, err := machineCPUNow()
	if err != nil {
		return nil, err
	}
	got, err := f.run(ctx, newClock())
	if err != nil {
		return nil, err
	}
	if got.Deliveries == 0 || got.CPU == 0 {
		return nil, errNoDelivery
	}
	after, err := machineCPUNow()
	if err != nil {
		return nil, err
	}
	r := &report{scenario: "floor"}
	r.note("%d sockets, %d bytes, %d rounds in flight; the reader reads every %s (0: at once)", f.conns, f.size, f.window, f.coalesce)
	r.add("w", float64(got.CPU)/1e3/float64(got.Deliveries), "µs")
	r.add("rounds", float64(got.Rounds), "")
	r.add("deliveries_per_writer_cpu_s", float64(got.Deliveries)*1e9/float64(got.CPU), "/s")
	r.add("deliveries_per_s", float64(got.Deliveries)*1e9/float64(got.Wall), "/s")
	r.add("writer_cpu_cores", float64(got.CPU)/float64(got.Wall), "cores")
	r.add("stolen_cpu_s", (after.stolen - before.stolen).Seconds(), "s")
	return r, nil
}
