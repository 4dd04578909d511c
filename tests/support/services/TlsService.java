// HTTPS on the JDK's own server, whose TLS is Java code: TlsService PORT KEY_STORE
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import java.io.FileInputStream;
import java.net.InetSocketAddress;
import java.security.KeyStore;
import javax.net.ssl.KeyManagerFactory;
import javax.net.ssl.SSLContext;

public class TlsService {
  public static void main(String[] words) throws Exception {
    var password = "secret".toCharArray();
    var store = KeyStore.getInstance("PKCS12");
    store.load(new FileInputStream(words[1]), password);
    var keys = KeyManagerFactory.getInstance(KeyManagerFactory.getDefaultAlgorithm());
    keys.init(store, password);
    var context = SSLContext.getInstance("TLS");
    context.init(keys.getKeyManagers(), null, null);
    var port = Integer.parseInt(words[0]);
    var server = HttpsServer.create(new InetSocketAddress("127.0.0.1", port), 8);
    server.setHttpsConfigurator(new HttpsConfigurator(context));
    server.createContext("/", exchange -> {
      exchange.sendResponseHeaders(200, 3);
      try (var body = exchange.getResponseBody()) {
        body.write("ok\n".getBytes());
      }
    });
    server.start();
  }
}
