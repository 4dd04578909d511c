import com.sun.net.httpserver.HttpExchange;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.security.KeyStore;
import java.util.concurrent.Executors;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

/** java Service PORT [STORE]: Java's own HTTP server; a line with the status of each answer. */
public class Service {
  public static void main(String[] arguments) throws Exception {
    InetSocketAddress address =
        new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0]));
    HttpServer server = arguments.length > 1 ? secure(address, arguments[1]) :
                                               HttpServer.create(address, 64);
    server.setExecutor(Executors.newFixedThreadPool(16));
    server.createContext("/", Service::answer);
    server.start();
  }

  static HttpServer secure(InetSocketAddress address, String path) throws Exception {
    char[] password = "secret".toCharArray();
    KeyStore store = KeyStore.getInstance("PKCS12");
    store.load(new FileInputStream(path), password);
    KeyManagerFactory keys = KeyManagerFactory.getInstance("SunX509");
    keys.init(store, password);
    SSLContext context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    HttpsServer server = HttpsServer.create(address, 64);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    return server;
  }

  static void answer(HttpExchange exchange) throws IOException {
    exchange.getRequestBody().readAllBytes();
    String path = exchange.getRequestURI().getPath();
    int status = path.equals("/fail") ? 500 : path.equals("/absent") ? 404 : 200;
    byte[] body = new byte[path.equals("/large") ? 300000 : 5];
    if (path.equals("/slow")) {
      try {
        Thread.sleep(200);
      } catch (InterruptedException error) {
        throw new IOException(error);
      }
    }
    boolean head = exchange.getRequestMethod().equals("HEAD");
    exchange.sendResponseHeaders(status, head ? -1 : body.length);
    if (!head) {
      exchange.getResponseBody().write(body);
    }
    System.out.println("status " + status);
    exchange.close();
  }
}
