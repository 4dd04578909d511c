// Command lines as people write them, and the name that each of them deserves.
#include "agent/discovery/program_name.h"

#include <gmock/gmock.h>

#include <string>

namespace exa {
namespace {

constexpr std::string_view kRunsIn = "/srv/shop";

// Words apart by one blank; "~" stands for a blank within a word.
std::string words(std::string_view line) {
  std::string text(line);
  for (char& c : text)
    c = c == ' ' ? '\0' : c == '~' ? ' ' : c;
  return text + '\0';
}

// As the prober names a process that runs in /srv/shop.
std::string name_of(std::string_view executable, const std::string& cmdline) {
  const auto program = program_name(executable, cmdline);
  const auto folder = program.folder.empty() ? "" : folder_name(kRunsIn, program.folder);
  return folder.empty() ? program.name : folder;
}

struct Case {
  std::string_view executable;
  std::string_view line;
  std::string_view name;
};

class ProgramNames : public testing::TestWithParam<Case> {};

TEST_P(ProgramNames, AreWhatIsRun) {
  EXPECT_EQ(name_of(GetParam().executable, words(GetParam().line)), GetParam().name)
      << GetParam().line;
}

constexpr Case kPython[] = {
    {"python3.11", "python3 -u /srv/app.py --port 80", "app"},
    {"python3.11", "/usr/bin/python3 orders.pyz", "orders"},
    {"python3", "python3 -W ignore -X dev shop.py", "shop"},
    {"python3", "python3 -Wignore -Xdev shop.py", "shop"},
    {"python3", "python3 -uWignore shop.py", "shop"},
    {"python3", "python3 -uW ignore shop.py", "shop"},
    {"python3", "python3 --check-hash-based-pycs always shop.py", "shop"},
    {"python3", "python3 -m http.server 8000", "http.server"},
    {"python3", "python3 -um http.server 8000", "http.server"},
    {"python3", "python3 -m shop.__main__", "shop"},
    {"python3", "python3 -c import~secret", ""},
    {"python3", "python3 -Ic import~secret", ""},
    {"python3", "python3 __main__.py", "shop"},
    {"python3", "python3 /opt/orders/__main__.py", "orders"},
    {"python3", "python3 orders/", "orders"},
    {"python3", "python3 .", "shop"},
    {"python3", "python3 ..", "srv"},
    {"python3", "python3 manage.py runserver 0.0.0.0:8000", "shop"},
    {"python3", "python3 - 8000", ""},
    {"python3", "python3", ""},
    {"python3", "python3 --unknown-option 8000 shop.py", "shop"},
    {"python3.13t", "python3 shop.py", "shop"},
    {"pypy3.10", "pypy3 shop.py", "shop"},
    {"pythonic", "pythonic x.py", ""},
    {"nginx", "nginx -c x", ""},
};
INSTANTIATE_TEST_SUITE_P(Python, ProgramNames, testing::ValuesIn(kPython));

constexpr Case kPythonServers[] = {
    {"python3.11", "/venv/bin/python /venv/bin/gunicorn -w 4 -b 0.0.0.0:8000 shop.wsgi",
     "shop.wsgi"},
    {"python3.11", "python3 /usr/bin/gunicorn -w4 -b:8000 shop.web:app --access-logfile -",
     "shop.web"},
    {"python3.11", "python3 /usr/bin/gunicorn shop.web:create_app('x') --timeout 5", "shop.web"},
    {"python3.11", "python3 /usr/bin/gunicorn shop.wsgi --name checkout", "checkout"},
    {"python3.11", "python3 /usr/bin/gunicorn -n checkout shop.wsgi", "checkout"},
    {"python3.11", "python3 /usr/bin/gunicorn wsgi:application", "shop"},
    {"python3.11", "python3 /usr/bin/gunicorn --chdir /opt/orders wsgi:application", "orders"},
    {"python3.11", "python3 /usr/bin/gunicorn -c conf.py", "shop"},
    {"python3.11", "python3 -m gunicorn -k uvicorn.workers.UvicornWorker orders:app", "orders"},
    {"python3.11", "python3 -m uvicorn --host 127.0.0.1 --port 8000 orders.main:app --workers 2",
     "orders.main"},
    {"python3.11", "python3 /venv/bin/uvicorn orders:app --reload", "orders"},
    {"python3.11", "python3 /venv/bin/hypercorn -b 0.0.0.0:8000 asgi:orders.web:app", "orders.web"},
    {"python3.11", "python3 /venv/bin/daphne -b 0.0.0.0 -p 8001 orders.asgi:application",
     "orders.asgi"},
    {"python3.11", "python3 /venv/bin/granian --interface wsgi --host 0.0.0.0 --port 80 orders:app",
     "orders"},
    {"python3.11", "python3 /venv/bin/waitress-serve --listen=*:8041 --call orders:make", "orders"},
    {"python3.11", "python3 /venv/bin/flask --app orders run -p 8000", "orders"},
    {"python3.11", "python3 -m flask run --host=0.0.0.0", "shop"},
    {"python3.11", "python3 /venv/bin/celery -A orders worker -l info -c 4", "orders"},
    {"python3.11", "python3 /venv/bin/celery --app=orders.tasks:app beat", "orders.tasks"},
    {"python3.11", "python3 /venv/bin/fastapi run --port 80 orders/main.py", "main"},
    {"python3.11", "gunicorn:~master~[shop.wsgi]", "shop.wsgi"},
    {"python3.11", "gunicorn:~worker~[orders:app]", "orders"},
    {"python3.11", "gunicorn:~worker~[wsgi:app]", "shop"},
    {"python3.11", "[celeryd:~celery@host:MainProcess]~-active-~(-A~orders~worker~-l~info)",
     "orders"},
    {"uwsgi", "uwsgi --http :8000 --master --module orders.wsgi:application", "orders.wsgi"},
    {"uwsgi-core",
     "/usr/bin/uwsgi-core --ini /usr/share/uwsgi/conf/default.ini --ini "
     "/etc/uwsgi/apps-enabled/orders.ini --daemonize /var/log/x.log",
     "orders"},
    {"uwsgi", "uwsgi --socket 127.0.0.1:3031 -p 4 orders.ini", "orders"},
    {"uwsgi", "uwsgi --http-socket :80 --wsgi-file /srv/orders/wsgi.py", "orders"},
    {"uwsgi", "uWSGI~worker~1", "shop"},
};
INSTANTIATE_TEST_SUITE_P(PythonServers, ProgramNames, testing::ValuesIn(kPythonServers));

constexpr Case kNode[] = {
    {"node", "node server.js", "server"},
    {"node", "node --env-file .env server.js", "server"},
    {"node", "node --env-file=.env --max-old-space-size=4096 server.js", "server"},
    {"node", "node --require ./trace.js /srv/shop.mjs", "shop"},
    {"node", "node -r ts-node/register --import ./x.mjs -C production orders.ts", "orders"},
    {"node", "node --inspect-port 0.0.0.0:9229 --title=checkout server.js", "checkout"},
    {"node", "node .", "shop"},
    {"node", "node ./", "shop"},
    {"node", "node ./orders", "orders"},
    {"node", "node /srv/shop/dist/index.js", "shop"},
    {"node", "node .output/server/index.mjs", "shop"},
    {"node", "node --watch-path ./src --watch orders.js", "orders"},
    {"node", "node --run start", "shop"},
    {"node", "node -e require('http')", ""},
    {"node", "node -pe process", ""},
    {"node", "node -- orders.js", "orders"},
    {"node", "node inspect orders.js", "orders"},
    {"node", "node --inspect 9229 orders.js", "orders"},
    {"node", "node /usr/lib/node_modules/npm/bin/npm-cli.js start", "shop"},
    {"node", "npm~run~start", "shop"},
    {"node", "node /srv/shop/node_modules/.bin/ts-node orders.ts", "orders"},
    {"node", "next-server~(v14.1.0)", "shop"},
    {"node", "checkout:~worker", "checkout"},
    {"bun.exe", "bun run server.ts", "server"},
    {"bun", "bun --port 3000 --watch orders.ts", "orders"},
    {"bun", "bun run start", "shop"},
    {"bun", "bun start", "shop"},
    {"bun", "bun --cwd /opt/orders run start", "orders"},
    {"deno", "deno run --allow-net -L debug orders.ts 8000", "orders"},
    {"deno", "deno serve --port 8000 --host 0.0.0.0 orders.ts", "orders"},
    {"deno", "deno task start", "shop"},
    {"deno", "deno run -A https://example.org/x.ts", "shop"},
};
INSTANTIATE_TEST_SUITE_P(Node, ProgramNames, testing::ValuesIn(kNode));

constexpr Case kJava[] = {
    {"java", "java -Xmx1g -jar /opt/orders.jar --server.port=8080", "orders"},
    {"java", "java --add-opens java.base/java.lang=ALL-UNNAMED -jar orders-service.jar",
     "orders-service"},
    {"java", "java --add-opens=java.base/java.lang=ALL-UNNAMED -jar orders-service.jar",
     "orders-service"},
    {"java", "java -jar orders-service-1.2.jar", "orders-service"},
    {"java", "java -jar orders-2.0.1-SNAPSHOT.jar", "orders"},
    {"java", "java -jar orders-1.0.0.RELEASE-exec.war", "orders"},
    {"java", "java -jar orders_2.13-1.4.jar", "orders"},
    {"java", "java -jar shop-2fa-web.jar", "shop-2fa-web"},
    {"java", "java -jar orders-1_2.jar", "orders"},
    {"java", "java -jar -Xmx1g -Dx=y orders-1.2.jar 8080", "orders"},
    {"java", "java -jar 7.jar", "7"},
    {"java", "java -javaagent:/opt/x.jar -cp a.jar:b.jar com.example.Main 8080",
     "com.example.Main"},
    {"java", "java --module-path mods --add-modules ALL-MODULE-PATH -m com.orders/com.orders.Main",
     "com.orders"},
    {"java", "java --source 21 Orders.java", "Orders"},
    {"java", "java -Dotel.service.name=checkout -jar app.jar", "checkout"},
    {"java", "java -Dspring.application.name=checkout org.springframework.boot.loader.JarLauncher",
     "checkout"},
    {"java", "java -cp x org.springframework.boot.loader.launch.JarLauncher", "shop"},
    {"java", "java @/srv/shop/args", ""},
    {"java", "java @jvm.options orders 8080", ""},
    {"java", "java @jvm.options -jar orders-1.2.jar", "orders"},
};
INSTANTIATE_TEST_SUITE_P(Java, ProgramNames, testing::ValuesIn(kJava));

constexpr Case kOthers[] = {
    {"php8.2", "php -S 0.0.0.0:8000 -t public", "shop"},
    {"php", "php -S 0.0.0.0:8000", "shop"},
    {"php", "php -S localhost:8000 -t /opt/orders/public router.php", "orders"},
    {"php", "php -d memory_limit=1G -c /etc/php.ini orders.php", "orders"},
    {"php", "php -dmemory_limit=1G -f orders.php -- 80", "orders"},
    {"php", "php artisan serve --port=8000", "shop"},
    {"php", "php -r echo", ""},
    {"dotnet", "dotnet Orders.Api.dll --urls http://0.0.0.0:80", "Orders.Api"},
    {"dotnet", "dotnet exec --runtimeconfig x.json --depsfile y.json /app/Orders.Api.dll",
     "Orders.Api"},
    {"dotnet", "dotnet run --project src/Orders.Api", "Orders.Api"},
    {"dotnet", "dotnet run --project src/Orders.Api/Orders.Api.csproj", "Orders.Api"},
    {"dotnet", "dotnet run", "shop"},
    {"dotnet", "dotnet watch run --project src/Orders.Api", "Orders.Api"},
    {"dotnet", "dotnet restore", "shop"},
    {"ruby3.1", "ruby -W2 -I lib -r bundler/setup orders.rb -p 80", "orders"},
    {"ruby", "ruby -Ilib -rbundler/setup -E UTF-8 orders.rb", "orders"},
    {"ruby", "ruby -e puts", ""},
    {"ruby", "ruby -ne puts", ""},
    {"ruby3.1", "ruby /usr/bin/puma -C config/puma.rb -p 3000", "shop"},
    {"ruby3.1", "ruby /usr/bin/puma --tag orders -b tcp://0.0.0.0:9292", "orders"},
    {"ruby3.1", "ruby /usr/bin/bundle exec puma -p 3000", "shop"},
    {"ruby3.1", "ruby /usr/bin/bundle exec orders.rb", "orders"},
    {"ruby3.1", "ruby bin/rails server -b 0.0.0.0 -p 3000", "shop"},
    {"ruby3.1", "ruby /usr/bin/rackup -o 0.0.0.0 -p 9292 /opt/orders/config.ru", "orders"},
    {"ruby3.1", "puma~5.6.5~(tcp://0.0.0.0:9292)~[orders]", "orders"},
    {"ruby3.1", "puma:~cluster~worker~0:~1234~[orders]", "orders"},
    {"ruby3.1", "puma~5.6.5~(tcp://0.0.0.0:9292)", "shop"},
    {"ruby3.1", "unicorn~master~-c~config/unicorn.rb~-E~production~-D", "shop"},
    {"ruby3.1", "unicorn~worker[0]~-c~config/unicorn.rb~/opt/orders/config.ru", "orders"},
    {"ruby3.1", "sidekiq~7.1.2~orders~[0~of~5~busy]", "orders"},
    {"perl", "perl -Ilib -MPlack -w orders.pl daemon -l http://*:3000", "orders"},
    {"perl", "perl -we print", ""},
    {"perl", "perl -0777 -i.bak -l orders.pl", "orders"},
    {"perl", "/usr/bin/perl /usr/bin/starman --port 5000 --workers 4 orders.psgi", "orders"},
    {"perl", "/usr/bin/perl /usr/bin/plackup -s Starman -p 5000", "shop"},
    {"perl", "/usr/bin/perl /usr/bin/plackup -a /opt/orders/app.psgi", "orders"},
    {"perl", "starman~master~--port~5000~orders.psgi", "orders"},
    {"perl", "starman~worker", "shop"},
};
INSTANTIATE_TEST_SUITE_P(Others, ProgramNames, testing::ValuesIn(kOthers));

TEST(ProgramName, OfAWorkerThatPythonStartedAnewIsItsParents) {
  using namespace std::string_literals;
  for (const auto& code :
       {"from multiprocessing.spawn import spawn_main; spawn_main(tracker_fd=5, pipe_handle=7)"s,
        "from multiprocessing.forkserver import main; main(5, 6, ['__main__'], **{})"s}) {
    const auto program = program_name(
        "python3.11", "/usr/bin/python3\0-c\0"s + code + "\0--multiprocessing-fork\0"s);
    EXPECT_EQ(program, ProgramName{.of_parent = true});
  }
}

TEST(ProgramName, OfHostileWordsIsNoLongerThanThey) {
  using namespace std::string_literals;
  const auto none = ProgramName{};
  EXPECT_EQ(program_name("python3", ""), none);
  EXPECT_EQ(program_name("python3", "\0\0\0"s), none);
  EXPECT_EQ(program_name("python3", "python3\0-m"s), none);
  EXPECT_EQ(program_name("python3", "python3\0-W"s), none);
  EXPECT_EQ(program_name("java", "java\0-jar\0"s), none);
  EXPECT_EQ(program_name("ruby", "puma: ]["s).folder, ".");
  EXPECT_EQ(program_name("python3", std::string(100'000, '[')),
            (ProgramName{.name = std::string(100'000, '[')}));
  std::string servers = "ruby\0"s;
  for (int i = 0; i < 10'000; ++i)
    servers += "bundle\0exec\0"s;
  EXPECT_EQ(name_of("ruby", servers), "bundle");
}

TEST(FolderName, IsTheProjects) {
  EXPECT_EQ(folder_name("/srv/shop", "."), "shop");
  EXPECT_EQ(folder_name("/srv/shop", "/opt/orders/"), "orders");
  EXPECT_EQ(folder_name("/srv/shop", "../orders/./x/.."), "orders");
  EXPECT_EQ(folder_name("/srv/shop/public", "."), "shop");
  EXPECT_EQ(folder_name("/srv/shop", "dist/src"), "shop");
  EXPECT_EQ(folder_name("/app", "."), "app");
  EXPECT_EQ(folder_name("/dist", "."), "dist");
  EXPECT_EQ(folder_name("/", "."), "");
  EXPECT_EQ(folder_name("/", "../../.."), "");
  EXPECT_EQ(folder_name("", "orders"), "");
  EXPECT_EQ(folder_name("", "/opt/orders"), "orders");
}

}  // namespace
}  // namespace exa
