import jakarta.servlet.ServletException;
import jakarta.servlet.http.HttpServlet;
import jakarta.servlet.http.HttpServletRequest;
import jakarta.servlet.http.HttpServletResponse;
import java.io.File;
import java.io.IOException;
import org.apache.catalina.Context;
import org.apache.catalina.startup.Tomcat;
import org.apache.catalina.valves.AccessLogValve;

/** java TomcatService PORT FOLDER: Tomcat; its access log is FOLDER/access.log. */
class TomcatService {
  public static void main(String[] arguments) throws Exception {
    Tomcat tomcat = new Tomcat();
    tomcat.setBaseDir(arguments[1]);
    tomcat.setPort(Integer.parseInt(arguments[0]));
    tomcat.getConnector().setProperty("address", "127.0.0.1");
    Context context = tomcat.addContext("", new File(arguments[1]).getAbsolutePath());
    Tomcat.addServlet(context, "service", new Answers());
    for (String path : new String[] {"/ok", "/slow", "/large", "/fail"}) {
      context.addServletMappingDecoded(path, "service");
    }
    AccessLogValve log = new AccessLogValve();
    log.setDirectory(arguments[1]);
    log.setPrefix("access");
    log.setSuffix(".log");
    log.setRotatable(false);
    log.setBuffered(false);
    log.setPattern("status %s");
    tomcat.getHost().getPipeline().addValve(log);
    tomcat.start();
    tomcat.getServer().await();
  }
}

class Answers extends HttpServlet {
  @Override
  protected void service(HttpServletRequest request, HttpServletResponse response)
      throws ServletException, IOException {
    String path = request.getServletPath();
    request.getInputStream().readAllBytes();
    if (path.equals("/fail")) {
      throw new ServletException("failed");
    }
    if (path.equals("/slow")) {
      try {
        Thread.sleep(200);
      } catch (InterruptedException error) {
        throw new IOException(error);
      }
    }
    byte[] body = new byte[path.equals("/large") ? 300000 : 5];
    response.setContentLength(body.length);
    response.getOutputStream().write(body);
  }
}
