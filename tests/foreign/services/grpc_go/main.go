// The service and the client of tests/support/services/grpc_*.py on grpc-go, without generated code:
//
//	grpc_go server PORT [CERTIFICATE KEY]
//	grpc_go client PORT [tls]
//	grpc_go turns PORT [tls]   for each line of its input ten calls on one connection, twenty of
//	                           another kind on another one, and then a line
//	grpc_go load PORT SECONDS  short calls, 50 at a time on one connection: how many a second
package main

import (
	"bufio"
	"context"
	"crypto/tls"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"strconv"
	"sync"
	"sync/atomic"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"google.golang.org/grpc/status"
)

// Messages are bytes as they are.
type raw struct{}

func (raw) Marshal(message any) ([]byte, error) { return *message.(*[]byte), nil }
func (raw) Unmarshal(data []byte, message any) error {
	*message.(*[]byte) = append([]byte(nil), data...)
	return nil
}
func (raw) Name() string { return "raw" }

func receive(stream grpc.Stream) ([]byte, error) {
	var message []byte
	err := stream.RecvMsg(&message)
	return message, err
}

func send(stream grpc.Stream, message []byte) error { return stream.SendMsg(&message) }

func serve(_ any, stream grpc.ServerStream) error {
	method, _ := grpc.MethodFromServerStream(stream)
	switch method {
	case "/shop.Cart/Add":
		request, err := receive(stream)
		if err != nil {
			return err
		}
		switch string(request) {
		case "slow":
			time.Sleep(time.Second)
		case "missing":
			return status.Error(codes.NotFound, "no such thing")
		case "broken":
			return status.Error(codes.Unknown, "broken")
		}
		return send(stream, []byte("added"))
	case "/shop.Cart/List":
		if _, err := receive(stream); err != nil {
			return err
		}
		for range 5 {
			if err := send(stream, make([]byte, 1000)); err != nil {
				return err
			}
		}
		return nil
	case "/shop.Cart/Put":
		sum := 0
		for {
			request, err := receive(stream)
			if err == io.EOF {
				return send(stream, fmt.Appendf(nil, "%d", sum))
			}
			if err != nil {
				return err
			}
			sum += len(request)
		}
	case "/shop.Cart/Chat":
		for {
			request, err := receive(stream)
			if err == io.EOF {
				return nil
			}
			if err != nil {
				return err
			}
			if err := send(stream, request); err != nil {
				return err
			}
		}
	}
	return status.Error(codes.Unimplemented, "no such method")
}

// Sends the messages, and reads until the end.
func call(connection *grpc.ClientConn, method string, messages [][]byte, within time.Duration) error {
	ctx, cancel := context.WithTimeout(context.Background(), within)
	defer cancel()
	description := &grpc.StreamDesc{ServerStreams: true, ClientStreams: true}
	stream, err := connection.NewStream(ctx, description, "/shop.Cart/"+method)
	if err != nil {
		return err
	}
	for _, message := range messages {
		if err := send(stream, message); err != nil {
			break // what it is the read says
		}
	}
	stream.CloseSend()
	for {
		if _, err := receive(stream); err == io.EOF {
			return nil
		} else if err != nil {
			return err
		}
	}
}

func connect(port string, trust credentials.TransportCredentials) *grpc.ClientConn {
	connection, err := grpc.NewClient("127.0.0.1:"+port, grpc.WithTransportCredentials(trust),
		grpc.WithDefaultCallOptions(grpc.ForceCodec(raw{})))
	if err != nil {
		panic(err)
	}
	return connection
}

func repeat(connection *grpc.ClientConn, method string, times int) {
	for range times {
		if err := call(connection, method, [][]byte{{}}, time.Minute); err != nil {
			panic(err)
		}
	}
}

func load(connection *grpc.ClientConn, duration time.Duration) float64 {
	var all sync.WaitGroup
	var calls atomic.Int64
	begin := time.Now()
	for range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			request, answer := []byte("few"), []byte{}
			for time.Since(begin) < duration {
				if err := connection.Invoke(context.Background(), "/shop.Cart/Add", &request, &answer); err != nil {
					panic(err)
				}
				calls.Add(1)
			}
		}()
	}
	all.Wait()
	return float64(calls.Load()) / time.Since(begin).Seconds()
}

// As grpc's own names of statuses are written.
var names = map[codes.Code]string{codes.OK: "OK", codes.Unknown: "UNKNOWN", codes.NotFound: "NOT_FOUND",
	codes.DeadlineExceeded: "DEADLINE_EXCEEDED", codes.Unimplemented: "UNIMPLEMENTED"}

func main() {
	port := os.Args[2]
	if os.Args[1] == "server" {
		options := []grpc.ServerOption{grpc.ForceServerCodec(raw{}), grpc.UnknownServiceHandler(serve)}
		if len(os.Args) > 4 {
			files, err := credentials.NewServerTLSFromFile(os.Args[3], os.Args[4])
			if err != nil {
				panic(err)
			}
			options = append(options, grpc.Creds(files))
		}
		listener, err := net.Listen("tcp", "127.0.0.1:"+port)
		if err != nil {
			panic(err)
		}
		panic(grpc.NewServer(options...).Serve(listener))
	}
	trust := insecure.NewCredentials()
	if len(os.Args) > 3 && os.Args[3] == "tls" {
		trust = credentials.NewTLS(&tls.Config{InsecureSkipVerify: true})
	}
	connection := connect(port, trust)
	if os.Args[1] == "load" {
		seconds, err := strconv.Atoi(os.Args[3])
		if err != nil {
			panic(err)
		}
		fmt.Println(load(connection, time.Duration(seconds)*time.Second))
		return
	}
	if os.Args[1] == "turns" {
		other := connect(port, trust)
		for input := bufio.NewScanner(os.Stdin); input.Scan(); fmt.Println("done") {
			var both sync.WaitGroup
			both.Add(2)
			go func() { defer both.Done(); repeat(connection, "Add", 10) }()
			go func() { defer both.Done(); repeat(other, "List", 20) }()
			both.Wait()
		}
		return
	}
	var lock sync.Mutex
	ended := map[string]int{}
	ask := func(method string, messages [][]byte, within time.Duration) {
		err := call(connection, method, messages, within)
		lock.Lock()
		defer lock.Unlock()
		ended[method+" "+names[status.Code(err)]]++
	}
	var all sync.WaitGroup
	slots := make(chan bool, 16)
	for number := range 50 {
		all.Add(1)
		go func() {
			defer all.Done()
			slots <- true
			ask("Add", [][]byte{fmt.Appendf(nil, "%d", number)}, time.Minute)
			ask("List", [][]byte{{}}, time.Minute)
			ask("Put", [][]byte{make([]byte, 1000), make([]byte, 100000)}, time.Minute)
			ask("Chat", [][]byte{[]byte("a"), []byte("b"), []byte("c")}, time.Minute)
			<-slots
		}()
	}
	all.Wait()
	for range 4 {
		ask("Add", [][]byte{[]byte("missing")}, time.Minute)
		ask("Add", [][]byte{[]byte("broken")}, time.Minute)
		ask("Nope", [][]byte{{}}, time.Minute)
		ask("Add", [][]byte{[]byte("slow")}, 200*time.Millisecond)
	}
	connection.Close()
	json.NewEncoder(os.Stdout).Encode(ended)
}
