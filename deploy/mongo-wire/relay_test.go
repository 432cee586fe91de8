package main

import (
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"io"
	"log/slog"
	"net"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// document is a BSON document whose first key is an int32 1.
func document(key string) []byte {
	body := append([]byte{0, 0, 0, 0, 0x10}, append([]byte(key), 0, 1, 0, 0, 0, 0)...)
	binary.LittleEndian.PutUint32(body, uint32(len(body)))
	return body
}

func message(op uint32, flags uint32, sections ...[]byte) []byte {
	frame := make([]byte, headerSize+4)
	binary.LittleEndian.PutUint32(frame[12:], op)
	binary.LittleEndian.PutUint32(frame[headerSize:], flags)
	for _, section := range sections {
		frame = append(frame, section...)
	}
	binary.LittleEndian.PutUint32(frame, uint32(len(frame)))
	return frame
}

func command(key string) []byte { return append([]byte{0}, document(key)...) }
func sequence(size int32) []byte { // kind 1 with an empty list of documents
	section := binary.LittleEndian.AppendUint32([]byte{1}, uint32(size))
	return append(section, make([]byte, size-4)...)
}

func TestCommandsAreFoundWhereverTheirSectionIs(t *testing.T) {
	for _, test := range []struct {
		name    string
		frame   []byte
		command string
		oneWay  bool
	}{
		{"plain", message(opMsg, 0, command("find")), "find", false},
		{"name in any case", message(opMsg, 0, command("findAndModify")), "findandmodify", false},
		{"documents before the command", message(opMsg, 0, sequence(20), command("insert")), "insert", false},
		{"documents after it", message(opMsg, 0, command("insert"), sequence(20)), "insert", false},
		{"no answer wanted", message(opMsg, flagMoreToCome, command("insert")), "insert", true},
		{"with a checksum", message(opMsg, flagChecksum, command("update"), []byte{1, 2, 3, 4}), "update", false},
		{"the first hello", message(opQuery, 0, []byte("anything")), "", false},
	} {
		req, err := parseRequest(test.frame)
		if err != nil || req.command != test.command || req.oneWay != test.oneWay {
			t.Errorf("%s: got %q, %v, %v", test.name, req.command, req.oneWay, err)
		}
	}
}

func TestAmbiguousFramesAreRefused(t *testing.T) {
	cut := message(opMsg, 0, command("insert"))
	for name, frame := range map[string][]byte{
		"compressed":            message(2012, 0, command("insert")),
		"no command":            message(opMsg, 0, sequence(20)),
		"two commands":          message(opMsg, 0, command("find"), command("insert")),
		"unknown section":       message(opMsg, 0, append([]byte{7}, document("find")...)),
		"section over the end":  cut[:len(cut)-1],
		"bytes after the end":   message(opMsg, 0, command("find"), []byte{0}),
		"negative section size": message(opMsg, 0, []byte{0, 0xff, 0xff, 0xff, 0xff, 0x10, 'a', 0}),
		"empty name":            message(opMsg, 0, command("")),
		"nothing":               message(opMsg, 0),
	} {
		if req, err := parseRequest(frame); !errors.Is(err, errMalformed) {
			t.Errorf("%s: accepted as %q", name, req.command)
		}
	}
}

func TestLengthsAreChecked(t *testing.T) {
	var buffer bytes.Buffer
	for _, length := range []uint32{0, 15, 0xffffffff, 1001} {
		frame := binary.LittleEndian.AppendUint32(nil, length)
		frame = append(frame, make([]byte, 2000)...)
		if err := readFrame(bytes.NewReader(frame), &buffer, 1000, func() {}); !errors.Is(err, errMalformed) {
			t.Errorf("length %d: %v", length, err)
		}
	}
	if err := readFrame(bytes.NewReader(message(opMsg, 0, command("find"))[:20]), &buffer, 1000, func() {}); err != io.ErrUnexpectedEOF {
		t.Errorf("a frame that ends early: %v", err)
	}
}

// backend answers every frame with a frame of the same bytes, slowly, and notes how many
// writing commands it has in work at a time.
type backend struct {
	listener net.Listener
	writing  atomic.Int32
	most     atomic.Int32
	total    atomic.Int32
}

func (b *backend) serve() {
	for {
		conn, err := b.listener.Accept()
		if err != nil {
			return
		}
		go func() {
			defer conn.Close()
			var buffer bytes.Buffer
			for readFrame(conn, &buffer, 1<<20, func() {}) == nil {
				req, _ := parseRequest(buffer.Bytes())
				if writing[req.command] {
					if now := b.writing.Add(1); now > b.most.Load() {
						b.most.Store(now)
					}
					time.Sleep(2 * time.Millisecond)
					b.writing.Add(-1)
				}
				b.total.Add(1)
				if _, err := conn.Write(buffer.Bytes()); err != nil {
					return
				}
			}
		}()
	}
}

func start(t *testing.T, maxConnections int, users *users) (*backend, string, context.CancelFunc, chan struct{}) {
	socket := filepath.Join(t.TempDir(), "s")
	unix, err := net.Listen("unix", socket)
	if err != nil {
		t.Fatal(err)
	}
	b := &backend{listener: unix}
	go b.serve()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(context.Background())
	done := make(chan struct{})
	go func() {
		newRelay(socket, 1<<20, maxConnections, users, slog.New(slog.NewTextHandler(io.Discard, nil))).serve(ctx, listener, time.Second)
		close(done)
	}()
	t.Cleanup(func() { cancel(); unix.Close(); <-done })
	return b, listener.Addr().String(), cancel, done
}

func dial(t *testing.T, address string) net.Conn {
	conn, err := net.Dial("tcp", address)
	if err != nil {
		t.Fatal(err)
	}
	conn.SetDeadline(time.Now().Add(10 * time.Second))
	t.Cleanup(func() { conn.Close() })
	return conn
}

func exchange(conn net.Conn, frame []byte) error {
	if _, err := conn.Write(frame); err != nil {
		return err
	}
	var answer bytes.Buffer
	if err := readFrame(conn, &answer, 1<<20, func() {}); err != nil {
		return err
	}
	if !bytes.Equal(answer.Bytes(), frame) {
		return errors.New("another answer than expected")
	}
	return nil
}

func TestOneWritingCommandAtATime(t *testing.T) {
	b, address, _, _ := start(t, 100, nil)
	var group sync.WaitGroup
	for i := range 20 {
		conn := dial(t, address)
		group.Add(1)
		go func() {
			defer group.Done()
			for n := range 5 {
				name := []string{"insert", "update", "delete", "findAndModify", "find"}[(i+n)%5]
				if err := exchange(conn, message(opMsg, 0, command(name))); err != nil {
					t.Error(err)
				}
			}
		}()
	}
	group.Wait()
	if b.most.Load() != 1 {
		t.Errorf("%d writing commands were in work at the same time", b.most.Load())
	}
}

func TestAnswersToOneWayRequestsAreKeptFromTheClient(t *testing.T) {
	b, address, _, _ := start(t, 100, nil)
	conn := dial(t, address)
	if _, err := conn.Write(message(opMsg, flagMoreToCome, command("insert"))); err != nil {
		t.Fatal(err)
	}
	// The next answer is the one to the next request.
	if err := exchange(conn, message(opMsg, 0, command("ping"))); err != nil {
		t.Fatal(err)
	}
	if b.total.Load() != 2 {
		t.Errorf("the backend saw %d requests", b.total.Load())
	}
}

func TestFurtherConnectionsThanAllowedAreClosed(t *testing.T) {
	_, address, _, _ := start(t, 1, nil)
	if err := exchange(dial(t, address), message(opMsg, 0, command("ping"))); err != nil {
		t.Fatal(err)
	}
	if err := exchange(dial(t, address), message(opMsg, 0, command("ping"))); err == nil {
		t.Error("a second connection was served")
	}
}

func TestShutdownEndsIdleConnectionsAtOnce(t *testing.T) {
	_, address, cancel, done := start(t, 10, nil)
	conn := dial(t, address)
	if err := exchange(conn, message(opMsg, 0, command("ping"))); err != nil {
		t.Fatal(err)
	}
	cancel()
	select {
	case <-done:
	case <-time.After(900 * time.Millisecond):
		t.Error("the relay waited for an idle client")
	}
	if _, err := conn.Read(make([]byte, 1)); err == nil || strings.Contains(err.Error(), "timeout") {
		t.Errorf("the idle connection is still open: %v", err)
	}
}
