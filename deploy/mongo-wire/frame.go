package main

import (
	"bytes"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"strings"

	"go.mongodb.org/mongo-driver/bson"
)

// The MongoDB wire format, as far as a relay has to understand it: a 16-byte
// header (length, request id, response to, op code; all little-endian int32)
// and, for OP_MSG, a list of sections whose kind 0 holds the command document.
const (
	headerSize = 16
	opMsg      = 2013
	opQuery    = 2004

	// flagMoreToCome on a request means that the client reads no answer to it.
	flagMoreToCome = 1 << 1
	// flagChecksum means that four bytes of CRC-32C follow the last section.
	flagChecksum = 1 << 0
)

var errMalformed = errors.New("malformed frame")

// request is one frame read from a client, with what the relay wants to know of it.
type request struct {
	frame   []byte
	command string // lower case; empty for OP_QUERY, which only carries the first "hello"
	oneWay  bool   // the client waits for no answer
	// The section that holds the command; not looked at any further here.
	document bson.Raw
}

// readFrame reads one whole frame into buf, at most limit bytes of it. The buffer
// grows with what really arrives, so a false length field costs no memory.
// started is called once the header is there, so that a caller can begin to
// time a frame that has begun without timing the idle wait before it.
func readFrame(r io.Reader, buf *bytes.Buffer, limit int, started func()) error {
	buf.Reset()
	if _, err := io.CopyN(buf, r, headerSize); err != nil {
		return err
	}
	started()
	length := int64(int32(binary.LittleEndian.Uint32(buf.Bytes())))
	if length < headerSize {
		return fmt.Errorf("%w: length %d", errMalformed, length)
	}
	if length > int64(limit) {
		return fmt.Errorf("%w: length %d is over the limit of %d bytes", errMalformed, length, limit)
	}
	if _, err := io.CopyN(buf, r, length-headerSize); err != nil {
		return io.ErrUnexpectedEOF
	}
	return nil
}

// parseRequest looks for the command's name: the first key of the kind-0 section.
func parseRequest(frame []byte) (request, error) {
	req := request{frame: frame}
	switch op := binary.LittleEndian.Uint32(frame[12:]); op {
	case opQuery:
		return req, nil
	case opMsg:
	default:
		return req, fmt.Errorf("%w: op code %d is not served", errMalformed, op)
	}

	body := frame[headerSize:]
	if len(body) < 4 {
		return req, errMalformed
	}
	flags := binary.LittleEndian.Uint32(body)
	req.oneWay = flags&flagMoreToCome != 0
	body = body[4:]
	if flags&flagChecksum != 0 {
		if len(body) < 4 {
			return req, errMalformed
		}
		body = body[:len(body)-4]
	}

	for len(body) >= 5 {
		kind := body[0]
		size := int64(int32(binary.LittleEndian.Uint32(body[1:])))
		if size < 5 || size > int64(len(body)-1) {
			return req, errMalformed
		}
		section := body[1 : 1+size]
		body = body[1+size:]
		switch kind {
		case 0:
			name, err := firstKey(section)
			if err != nil || req.command != "" {
				return req, errMalformed
			}
			req.command, req.document = strings.ToLower(name), section
		case 1: // a document sequence: the command's documents, no name in it
		default:
			return req, fmt.Errorf("%w: section kind %d", errMalformed, kind)
		}
	}
	if len(body) != 0 || req.command == "" {
		return req, errMalformed
	}
	return req, nil
}

// firstKey returns the first key of a BSON document: after the document's length
// and the element's type byte there is a zero-terminated string.
func firstKey(document []byte) (string, error) {
	if len(document) < 7 {
		return "", errMalformed
	}
	end := bytes.IndexByte(document[5:], 0)
	if end <= 0 {
		return "", errMalformed
	}
	return string(document[5 : 5+end]), nil
}
