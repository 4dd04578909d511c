// The same as ends.py, on Go's net and crypto/tls; begins once its input ends.
package main

import (
	"bytes"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strings"
	"time"
)

const part = 20000

type row struct {
	status       int
	framing, end string
	parts        int
}

type half interface{ CloseWrite() error }

func readRows(text string) []row {
	var raw [][]any
	if err := json.Unmarshal([]byte(text), &raw); err != nil {
		panic(err)
	}
	rows := []row{}
	for _, one := range raw {
		rows = append(rows, row{int(one[0].(float64)), one[1].(string), one[2].(string), int(one[3].(float64))})
	}
	return rows
}

func encode(framing string, piece []byte) []byte {
	if framing != "chunked" {
		return piece
	}
	return []byte(fmt.Sprintf("%x\r\n%s\r\n", len(piece), piece))
}

// Writes, in order: the head with a short body, or the head and then each part.
func answer(one row) [][]byte {
	pieces := [][]byte{[]byte("hello")}
	length := 5
	if one.parts > 0 {
		pieces = nil
		for i := 0; i < one.parts; i++ {
			pieces = append(pieces, bytes.Repeat([]byte("x"), part))
		}
		length = one.parts * part
	}
	header := map[string]string{"length": fmt.Sprintf("Content-Length: %d\r\n", length),
		"chunked": "Transfer-Encoding: chunked\r\n", "close": "", "none": "Content-Length: 0\r\n"}
	head := []byte(fmt.Sprintf("HTTP/1.1 %d Told\r\n%s\r\n", one.status, header[one.framing]))
	if one.framing == "none" {
		return [][]byte{head}
	}
	writes := [][]byte{head}
	for _, piece := range pieces {
		writes = append(writes, encode(one.framing, piece))
	}
	if one.framing == "chunked" {
		writes = append(writes, []byte("0\r\n\r\n"))
	}
	if one.parts == 0 {
		return [][]byte{bytes.Join(writes, nil)}
	}
	return writes
}

func isWhole(one row, data []byte, atEnd bool) bool {
	if one.framing == "close" {
		return atEnd
	}
	head, body, found := bytes.Cut(data, []byte("\r\n\r\n"))
	switch {
	case len(head) == 0 || one.framing == "none":
		return found
	case one.framing == "chunked":
		return bytes.HasSuffix(body, []byte("0\r\n\r\n"))
	case one.parts > 0:
		return len(body) == one.parts*part
	}
	return len(body) == 5
}

func cutInTwo(writes [][]byte) [][]byte {
	if len(writes) > 1 {
		return writes[:len(writes)/2+1]
	}
	return [][]byte{writes[0][:len(writes[0])-3]}
}

func reset(raw net.Conn) {
	raw.(*net.TCPConn).SetLinger(0)
	raw.Close()
}

func answerOne(raw net.Conn, one row, settings *tls.Config) bool {
	connection := raw
	if settings != nil {
		connection = tls.Server(raw, settings)
	}
	buffer, data := make([]byte, 4096), []byte{}
	for !bytes.Contains(data, []byte("\r\n\r\n")) {
		read, err := connection.Read(buffer)
		if err != nil {
			panic(err)
		}
		data = append(data, buffer[:read]...)
	}
	if one.end == "half_close" {
		if _, err := connection.Read(buffer); err != io.EOF {
			panic(err)
		}
	}
	writes, isCut := answer(one), strings.HasPrefix(one.end, "cut")
	if isCut {
		writes = cutInTwo(writes)
	}
	for _, piece := range writes {
		connection.Write(piece)
		time.Sleep(time.Millisecond)
	}
	if one.end == "shutdown" {
		connection.(half).CloseWrite()
	}
	if one.end == "client_closes" || one.end == "reset" || one.end == "shutdown" {
		connection.Read(buffer[:1])
	}
	if one.end == "cut_reset" {
		time.Sleep(10 * time.Millisecond) // lets the client read what there is
		reset(raw)
	}
	connection.Close()
	return !isCut
}

func ask(port string, one row, settings *tls.Config) bool {
	raw, err := net.Dial("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	connection := raw
	if settings != nil {
		connection = tls.Client(raw, settings)
	}
	fmt.Fprintf(connection, "GET /%s HTTP/1.1\r\nHost: test\r\n\r\n", one.end)
	if one.end == "half_close" {
		connection.(half).CloseWrite()
	}
	if one.end == "fin_with_data" {
		time.Sleep(30 * time.Millisecond)
	}
	buffer, data, atEnd := make([]byte, 30000), []byte{}, false
	stops := one.end == "client_closes" || one.end == "reset" || one.end == "fin_with_data"
	for !atEnd && !(stops && isWhole(one, data, atEnd)) {
		read, err := connection.Read(buffer)
		data = append(data, buffer[:read]...)
		atEnd = err == io.EOF
		if err != nil {
			break
		}
	}
	if one.end == "reset" {
		reset(raw)
	}
	connection.Close()
	return isWhole(one, data, atEnd)
}

func ends(arguments []string) {
	io.Copy(io.Discard, os.Stdin)
	port, rows := arguments[0], readRows(arguments[1])
	var server, client *tls.Config
	if len(arguments) > 2 {
		pair, err := tls.LoadX509KeyPair(arguments[2], arguments[3])
		if err != nil {
			panic(err)
		}
		server = &tls.Config{Certificates: []tls.Certificate{pair}}
		client = &tls.Config{InsecureSkipVerify: true}
	}
	listener, err := net.Listen("tcp", "127.0.0.1:"+port)
	if err != nil {
		panic(err)
	}
	told := map[string][2]bool{}
	for _, one := range rows {
		one, wrote := one, make(chan bool) // Go 1.19 has one variable for all
		go func() {
			raw, err := listener.Accept()
			if err != nil {
				panic(err)
			}
			wrote <- answerOne(raw, one, server)
		}()
		got := ask(port, one, client)
		told[fmt.Sprint(one.status)] = [2]bool{<-wrote, got}
	}
	json.NewEncoder(os.Stdout).Encode(told)
}
