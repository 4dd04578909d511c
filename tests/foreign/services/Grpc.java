import io.grpc.CallOptions;
import io.grpc.ClientCall;
import io.grpc.InsecureChannelCredentials;
import io.grpc.InsecureServerCredentials;
import io.grpc.ManagedChannel;
import io.grpc.Metadata;
import io.grpc.MethodDescriptor;
import io.grpc.MethodDescriptor.MethodType;
import io.grpc.ServerServiceDefinition;
import io.grpc.Status;
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder;
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder;
import io.grpc.stub.ServerCalls;
import io.grpc.stub.StreamObserver;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.net.InetSocketAddress;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.TimeUnit;
import java.util.stream.Collectors;

/**
 * The service and the client of tests/support/services/grpc_*.py on grpc-java, without generated code:
 * java Grpc server PORT | client PORT
 */
public class Grpc {
  static final MethodDescriptor<byte[], byte[]> ADD = method("Add", MethodType.UNARY);
  static final MethodDescriptor<byte[], byte[]> LIST = method("List", MethodType.SERVER_STREAMING);
  static final MethodDescriptor<byte[], byte[]> PUT = method("Put", MethodType.CLIENT_STREAMING);
  static final MethodDescriptor<byte[], byte[]> CHAT = method("Chat", MethodType.BIDI_STREAMING);
  static final MethodDescriptor<byte[], byte[]> NOPE = method("Nope", MethodType.UNARY);

  /** Messages are bytes as they are. */
  static class Raw implements MethodDescriptor.Marshaller<byte[]> {
    @Override
    public InputStream stream(byte[] message) {
      return new ByteArrayInputStream(message);
    }

    @Override
    public byte[] parse(InputStream stream) {
      try {
        return stream.readAllBytes();
      } catch (IOException error) {
        throw new UncheckedIOException(error);
      }
    }
  }

  static MethodDescriptor<byte[], byte[]> method(String name, MethodType type) {
    return MethodDescriptor.newBuilder(new Raw(), new Raw())
        .setType(type)
        .setFullMethodName("shop.Cart/" + name)
        .build();
  }

  static void add(byte[] request, StreamObserver<byte[]> answer) {
    switch (new String(request)) {
      case "missing":
        answer.onError(Status.NOT_FOUND.asException());
        return;
      case "broken":
        answer.onError(Status.UNKNOWN.asException());
        return;
      case "slow":
        try {
          Thread.sleep(1000);
        } catch (InterruptedException error) {
          throw new IllegalStateException(error);
        }
    }
    answer.onNext("added".getBytes());
    answer.onCompleted();
  }

  static void list(byte[] request, StreamObserver<byte[]> answer) {
    for (int i = 0; i < 5; ++i) {
      answer.onNext(new byte[1000]);
    }
    answer.onCompleted();
  }

  /** Reads all that is sent to it, and says at the end how much that was. */
  static class Sum implements StreamObserver<byte[]> {
    private final StreamObserver<byte[]> answer;
    private int sum;

    Sum(StreamObserver<byte[]> answer) {
      this.answer = answer;
    }

    @Override
    public void onNext(byte[] message) {
      sum += message.length;
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {
      answer.onNext(String.valueOf(sum).getBytes());
      answer.onCompleted();
    }
  }

  static class Echo implements StreamObserver<byte[]> {
    private final StreamObserver<byte[]> answer;

    Echo(StreamObserver<byte[]> answer) {
      this.answer = answer;
    }

    @Override
    public void onNext(byte[] message) {
      answer.onNext(message);
    }

    @Override
    public void onError(Throwable error) {}

    @Override
    public void onCompleted() {
      answer.onCompleted();
    }
  }

  static void serve(InetSocketAddress address) throws Exception {
    NettyServerBuilder.forAddress(address, InsecureServerCredentials.create())
        .addService(ServerServiceDefinition.builder("shop.Cart")
                        .addMethod(ADD, ServerCalls.asyncUnaryCall(Grpc::add))
                        .addMethod(LIST, ServerCalls.asyncServerStreamingCall(Grpc::list))
                        .addMethod(PUT, ServerCalls.asyncClientStreamingCall(Sum::new))
                        .addMethod(CHAT, ServerCalls.asyncBidiStreamingCall(Echo::new))
                        .build())
        .build()
        .start()
        .awaitTermination();
  }

  static final Map<String, Integer> ended = new ConcurrentHashMap<>();

  /** Sends the messages, reads until the end, and notes the status. */
  static void ask(ManagedChannel channel, MethodDescriptor<byte[], byte[]> method, long within,
                  byte[]... messages) {
    CompletableFuture<Status> end = new CompletableFuture<>();
    ClientCall<byte[], byte[]> call = channel.newCall(
        method, CallOptions.DEFAULT.withDeadlineAfter(within, TimeUnit.MILLISECONDS));
    call.start(new ClientCall.Listener<byte[]>() {
      @Override
      public void onClose(Status status, Metadata trailers) {
        end.complete(status);
      }
    }, new Metadata());
    call.request(Integer.MAX_VALUE);
    for (byte[] message : messages) {
      call.sendMessage(message);
    }
    call.halfClose();
    ended.merge(method.getBareMethodName() + " " + end.join().getCode(), 1, Integer::sum);
  }

  static void call(InetSocketAddress address) throws Exception {
    ManagedChannel channel =
        NettyChannelBuilder.forAddress(address, InsecureChannelCredentials.create()).build();
    ExecutorService sixteen = Executors.newFixedThreadPool(16);
    for (int i = 0; i < 50; ++i) {
      byte[] number = String.valueOf(i).getBytes();
      sixteen.execute(() -> {
        ask(channel, ADD, 60000, number);
        ask(channel, LIST, 60000, new byte[0]);
        ask(channel, PUT, 60000, new byte[1000], new byte[100000]);
        ask(channel, CHAT, 60000, "a".getBytes(), "b".getBytes(), "c".getBytes());
      });
    }
    sixteen.shutdown();
    sixteen.awaitTermination(60, TimeUnit.SECONDS);
    for (int i = 0; i < 4; ++i) {
      ask(channel, ADD, 60000, "missing".getBytes());
      ask(channel, ADD, 60000, "broken".getBytes());
      ask(channel, NOPE, 60000, new byte[0]);
      ask(channel, ADD, 200, "slow".getBytes());
    }
    System.out.println(ended.entrySet().stream()
                           .map(end -> "\"" + end.getKey() + "\": " + end.getValue())
                           .collect(Collectors.joining(", ", "{", "}")));
    channel.shutdown();
    channel.awaitTermination(10, TimeUnit.SECONDS);
  }

  public static void main(String[] arguments) throws Exception {
    InetSocketAddress address =
        new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[1]));
    if (arguments[0].equals("server")) {
      serve(address);
    } else {
      call(address);
    }
  }
}
