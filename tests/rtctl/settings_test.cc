// Settings in layers: which keys files may hold, who wins, and what the built tool makes of them.
#include <sys/stat.h>

#include <catch2/catch.hpp>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <nlohmann/json.hpp>

#include "cli/settings_keys.h"
#include "cli/settings_layers.h"
#include "integration/running_tool.h"
#include "rtctl/context_edit.h"

namespace rt::test {
namespace {

// A folder for settings files; XDG_CONFIG_HOME points to it.
struct Home {
  std::filesystem::path path = std::filesystem::temp_directory_path() /
                               ("rt-settings-" + std::to_string(::getpid()) + "-" +
                                std::to_string(reinterpret_cast<std::uintptr_t>(this)));
  Home() { std::filesystem::create_directories(path / "rt"); }
  ~Home() { std::filesystem::remove_all(path); }

  std::string file() const { return (path / "rt/config.json").string(); }
  std::string text() const {
    std::ifstream in(file());
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
  }
  Outcome run(std::vector<std::string> words, RunningTool::Environment more = {}) const {
    more["XDG_CONFIG_HOME"] = path.string();
    return test::run(std::move(words), {}, more);
  }
  Home& holds(const std::string& json) {
    std::ofstream(file()) << json;
    return *this;
  }
};

// A tool with one verb inside another.
struct Tree {
  CLI::App app{"", "rtctl"};
  Tree() {
    CLI::App* publish = app.add_subcommand("publish");
    publish->add_subcommand("run")->add_option("--status");
    app.add_subcommand("subscribe")->alias("sub")->add_option("--format");
  }
};

Result<cli::SettingsFile> read(const std::string& json) {
  const Tree tree;
  const auto document = parse_document(json, "f");
  REQUIRE(document);
  return cli::read_settings(*document, tree.app);
}

std::string complaint(const std::string& json) {
  const auto settings = read(json);
  return settings ? "(none)" : settings.error().text + "; " + settings.error().hint;
}

const nlohmann::json& shown(const nlohmann::json& all, const std::string& key) {
  REQUIRE(all.contains(key));
  return all[key];
}

TEST_CASE("settings: the nearest scope wins in a layer, the stronger layer over all scopes",
          "[rtctl][settings]") {
  const auto strong = read(R"({"url": "a", "rtctl": {"format": "tool"}})");
  const auto weak = read(
      R"({"url": "b", "rtctl": {"url": "c", "subscribe": {"format": "verb"},
          "publish": {"run": {"status": "deep"}, "status": "shallow"}}})");
  REQUIRE(strong);
  REQUIRE(weak);
  const auto value = [](const std::vector<cli::Layer>& layers, const char* verb,
                        const char* option) {
    const cli::Setting* found = cli::find_setting(layers, "rtctl", verb, option);
    return found == nullptr ? "(none)" : found->values.front() + " " + found->origin;
  };
  CHECK(value({weak->layer}, "subscribe", "format") == "verb f:1");
  CHECK(value({strong->layer, weak->layer}, "subscribe", "format") == "tool f:1");
  CHECK(value({weak->layer}, "publish.run", "status") == "deep f:2");
  CHECK(value({weak->layer}, "publish", "status") == "shallow f:2");
  CHECK(value({weak->layer}, "", "url") == "c f:1");
  CHECK(value({strong->layer, weak->layer}, "subscribe", "url") == "a f:1");
  CHECK(value({strong->layer}, "subscribe", "pg") == "(none)");
}

TEST_CASE("settings: what is not known is refused with file, line, key and a suggestion",
          "[rtctl][settings]") {
  CHECK(complaint("{\"pg\": 1,\n\"urll\": \"x\"}") ==
        "f:2: unknown key \"urll\"; did you mean \"url\"?");
  CHECK(complaint(R"({"tokenfile": "x"})").find("did you mean \"token_file\"?") !=
        std::string::npos);
  CHECK(complaint(R"({"rtctl": {"subscribe": {"fromat": "x"}}})").find("mean \"format\"?") !=
        std::string::npos);
  CHECK(complaint(R"({"rtctl": {"subscrib": {}}})").find("mean \"subscribe\"?") !=
        std::string::npos);
  CHECK(complaint(R"({"contexts": {"p": {"ulr": "x"}}})").find("mean \"url\"?") !=
        std::string::npos);
  CHECK(complaint(R"({"url": {"a": 1}})").find("not an object") != std::string::npos);
  CHECK(complaint(R"({"contexts": 3})").find("must be an object") != std::string::npos);
  CHECK(complaint("[]").find("must be an object") != std::string::npos);
  CHECK(complaint(R"({"rtbench": {"anything": 1}, "token_file": "x", "compressed": true})") ==
        "(none)");
}

TEST_CASE("settings: a secret has no place in a file", "[rtctl][settings]") {
  CHECK(complaint(R"({"token": "x"})").find("name that with \"token_file\"") != std::string::npos);
  CHECK(complaint(R"({"rtctl": {"subscribe": {"token": "x"}}})").find("token_file") !=
        std::string::npos);
}

TEST_CASE("settings: what is shown has no password in it", "[rtctl][settings]") {
  using cli::without_secrets;
  CHECK(without_secrets("http://u:pw@h:1/p") == "http://u:***@h:1/p");
  CHECK(without_secrets("http://h:1/a:b@c") == "http://h:1/a:b@c");
  CHECK(without_secrets("redis://:pw@h") == "redis://:***@h");
  CHECK(without_secrets("redis://u@h") == "redis://u@h");
  CHECK(without_secrets("postgresql://h/d?password=x&a=b") == "postgresql://h/d?password=***&a=b");
  CHECK(without_secrets("host=h password=x dbname=d") == "host=h password=*** dbname=d");
  CHECK(without_secrets("host=h password = 'a b'") == "host=h password = ***");
  CHECK(without_secrets("host=h passfile=x") == "host=h passfile=x");
  CHECK(without_secrets("Authorization: Bearer x") == "Authorization: ***");
  CHECK(without_secrets("X-Tenant: 7") == "X-Tenant: 7");
}

TEST_CASE("settings: flag before environment before context before file", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"url": "http://file", "pg": "dbname=file", "redis": "redis://file",
      "context": "prod", "contexts": {"prod": {"pg": "dbname=prod", "redis": "redis://:s@prod"}},
      "rtctl": {"subscribe": {"format": "ndjson", "no_reconnect": true}}})");
  const Outcome out =
      home.run({"rtctl", "config", "show", "--json"}, {{"RT_REDIS", "redis://env"}});
  REQUIRE(out.status == 0);
  const auto all = nlohmann::json::parse(out.out);
  CHECK(shown(all, "url")["value"] == "http://file");
  CHECK(shown(all, "url")["origin"] == home.file() + ":1");
  CHECK(shown(all, "pg")["value"] == "dbname=prod");
  CHECK(shown(all, "pg")["origin"] == "context prod (" + home.file() + ":2)");
  CHECK(shown(all, "redis")["value"] == "redis://env");
  CHECK(shown(all, "redis")["origin"] == "env RT_REDIS");
  CHECK(shown(all, "color")["origin"] == "built-in");
  CHECK(shown(all, "rtctl.subscribe.format")["value"] == "ndjson");

  // What is shown is what happens: no_reconnect ends it at once, ndjson prints the error record.
  const Outcome sub = home.run({"rtctl", "sub", "http://127.0.0.1:1/"});
  CHECK(sub.status == 3);
  CHECK(sub.out.find("\"type\":\"error\"") != std::string::npos);
  const Outcome flag = home.run({"rtctl", "sub", "http://127.0.0.1:1/", "--format", "text"});
  CHECK(flag.status == 3);
  CHECK(flag.out == "");
  const Outcome none =
      home.run({"rtctl", "--no-config", "sub", "http://127.0.0.1:1/", "--max-retries", "0"});
  CHECK(none.status == 3);
  CHECK(none.out == "");
}

TEST_CASE("settings: DATABASE_URL is environment too, and no file beats it", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"pg": "host=127.0.0.1 port=1 dbname=file"})");
  const RunningTool::Environment environment = {
      {"DATABASE_URL", "host=127.0.0.1 port=1 dbname=env"}};
  const Outcome out = home.run({"rtctl", "config", "show", "--origin"}, environment);
  CHECK(out.out.find("env DATABASE_URL") != std::string::npos);
  CHECK(home.run({"rtctl", "setup"}, environment).err.find("1/env") != std::string::npos);
  CHECK(home.run({"rtctl", "setup"}).err.find("1/file") != std::string::npos);
}

TEST_CASE("settings: a file that is wrong stops a verb, not its help", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"rtctl": {"serve": {"tags_match": "most"}}})");
  const Outcome serve = home.run({"rtctl", "serve"});
  CHECK(serve.status == 2);
  CHECK(serve.out == "");
  CHECK(serve.err.find(home.file() + ":1: --tags-match") != std::string::npos);
  CHECK(home.run({"rtctl", "serve", "--help"}).status == 0);
  CHECK(home.run({"rtctl", "--version"}).status == 0);
  CHECK(home.run({"rtctl", "config", "path", "--config", "/nonexistent/x"}).status == 2);
  const Outcome context = home.run({"rtctl", "config", "path", "--context", "gone"});
  CHECK(context.status == 2);
  CHECK(context.err.find("there is no context \"gone\"") != std::string::npos);
  const Outcome nothing = home.run({"rtctl", "config", "path", "--context"});
  CHECK(nothing.status == 2);
  CHECK(nothing.err == "rtctl: --context needs a value\n");
}

TEST_CASE("settings: the log level is a setting", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"log": "chatty"})");
  const Outcome wrong = home.run({"rtctl", "serve", "--listen", "127.0.0.1:0"});
  CHECK(wrong.status == 2);
  CHECK(wrong.err.find("log level \"chatty\"") != std::string::npos);
  home.holds(R"({"log": "warn"})");
  RunningTool serve({"rtctl", "serve", "--listen", "127.0.0.1:0"},
                    {{"XDG_CONFIG_HOME", home.path.string()}});
  REQUIRE(serve.wait_for("  watch: "));
  CHECK(serve.error_text().find("level=info") == std::string::npos);
}

TEST_CASE("settings: all three tools read them", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"pg": "dbname=x"})");
  for (const char* tool : {"rtctl", "rtreplay", "rtbench"}) {
    const Outcome out = home.run({tool, "config", "show", "--origin"});
    CHECK(out.status == 0);
    CHECK(out.out.find(home.file() + ":1") != std::string::npos);
    CHECK(home.run({tool, "config", "path"}).out.find(home.file() + "\n") != std::string::npos);
  }
}

TEST_CASE("ctx: made, listed, switched, switched back and removed", "[rtctl][settings]") {
  Home home;
  CHECK(home.run({"rtctl", "ctx", "set", "prod", "url=https://u:pw@rt.example", "header=A: 1",
                  "header=B: 2"})
            .out == "context: prod\n");
  CHECK(home.run({"rtctl", "ctx", "set", "dev", "rtctl.subscribe.format=ndjson"}).status == 0);
  CHECK(home.run({"rtctl", "ctx", "use", "dev"}).out == "context: dev\n");
  const std::string listed = home.run({"rtctl", "ctx"}).out;
  CHECK(listed.find("* dev") == 0);
  CHECK(listed.find("\n  prod             https://u:***@rt.example\n") != std::string::npos);
  CHECK(home.run({"rtctl", "ctx", "use", "-"}).out == "context: prod\n");
  CHECK(home.run({"rtctl", "ctx", "show"}).out ==
        "header=A: 1\nheader=B: 2\nurl=https://u:***@rt.example\n");
  struct stat file {};
  REQUIRE(::stat(home.file().c_str(), &file) == 0);
  CHECK((file.st_mode & 0777) == 0600);
  CHECK(home.run({"rtctl", "ctx", "remove", "prod"}).out == "context: none is selected\n");
  CHECK(home.run({"rtctl", "ctx", "show"}).status == 2);
}

TEST_CASE("ctx: a change that is wrong leaves the file as it was", "[rtctl][settings]") {
  Home home;
  home.holds(R"({"contexts": {"prod": {"url": "u"}}})");
  const std::string before = home.text();
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"set", "prod", "urll=x"},
                                             {"set", "prod", "url"},
                                             {"set", "a b", "url=x"},
                                             {"use", "prd"},
                                             {"use", "-"},
                                             {"remove", "dev"},
                                             {"set", "prod", "token=x"}}) {
    std::vector<std::string> command = {"rtctl", "ctx"};
    command.insert(command.end(), words.begin(), words.end());
    const Outcome out = home.run(command);
    INFO(words[0] << " " << words[1]);
    CHECK(out.status == 2);
    CHECK(out.err.rfind("rtctl: ", 0) == 0);
    CHECK(home.text() == before);
  }
  home.holds("{ // by hand\n}");
  CHECK(home.run({"rtctl", "ctx", "set", "p", "url=x"}).err.find("comments") != std::string::npos);
  CHECK(home.text() == "{ // by hand\n}");
}

TEST_CASE("ctx: what else the file holds stays, in its order", "[rtctl][settings]") {
  using rtctl::set_context;
  const auto out = set_context(R"({"zeta": 1, "context": "a", "contexts": {"a": {}}, "b": [2]})",
                               "b", {"http1.1=true", "rtctl.quiet=true"});
  REQUIRE(out);
  CHECK(
      nlohmann::ordered_json::parse(*out).dump() ==
      R"({"zeta":1,"context":"a","contexts":{"a":{},"b":{"http1.1":"true","rtctl":{"quiet":"true"}}},"b":[2]})");
  const auto gone = set_context(*out, "b", {"http1.1="});
  REQUIRE(gone);
  CHECK(gone->find("http1.1") == std::string::npos);
}

}  // namespace
}  // namespace rt::test
