// Each rule must catch a sample that breaks it, and let its neighbour pass.
#include "tidy/rules.h"

#include <catch2/catch.hpp>

namespace rt::tidy {
namespace {

Source sample(std::string path, std::string text) {
  return parse_source(std::move(path), std::move(text));
}

TEST_CASE("tidy: a folder includes only what the table allows", "[tidy]") {
  CHECK(report(check_include_direction(sample("lib/proto/a.cc", "#include \"io/loop.h\"\n"))) ==
        "lib/proto/a.cc:1: include: lib/proto may not include lib/io\n");
  CHECK(check_include_direction(sample("lib/base/a.cc", "\n#include \"pg/slot.h\"\n")).at(0).line ==
        2);
  CHECK(check_include_direction(sample("lib/report/a.cc", "#include \"pipe/sink.h\"\n")).size() ==
        1);
  CHECK(check_include_direction(sample("lib/odd/a.cc", "#include \"base/fd.h\"\n")).size() == 1);
  CHECK(check_include_direction(sample("lib/io/a.cc", "#include \"loop.h\"\n")).size() == 1);
  CHECK(check_include_direction(sample("lib/io/a.cc", "#include <base/fd.h>\n")).size() == 1);
  CHECK(check_include_direction(sample("lib/pg/a.cc", "#include \"proto/copy.h\"\n")).empty());
  CHECK(check_include_direction(sample("lib/io/a.cc", "#include \"io/loop.h\"\n")).empty());
  CHECK(check_include_direction(sample("lib/load/a.cc", "#include \"pipe/sink.h\"\n")).empty());
}

TEST_CASE("tidy: one tool does not include another", "[tidy]") {
  CHECK(check_include_direction(sample("apps/rtctl/a.cc", "#include \"rtbench/run.h\"\n")).size() ==
        1);
  CHECK(check_include_direction(sample("apps/rtctl/a.cc", "#include \"nowhere/run.h\"\n")).size() ==
        1);
  CHECK(check_include_direction(sample("apps/rtctl/a.cc", "#include \"cli/tool.h\"\n")).empty());
  CHECK(check_include_direction(sample("apps/rtctl/a.cc", "#include \"rtctl/verbs.h\"\n")).empty());
}

TEST_CASE("tidy: each third-party library has one folder, in .cc files where possible", "[tidy]") {
  CHECK(check_third_party(sample("lib/base/a.cc", "#include <CLI/CLI.hpp>\n")).size() == 1);
  CHECK(check_third_party(sample("lib/server/a.cc", "#include <libpq-fe.h>\n")).size() == 1);
  CHECK(check_third_party(sample("lib/load/a.cc", "#include <curl/curl.h>\n")).size() == 1);
  CHECK(check_third_party(sample("lib/pipe/a.cc", "#include <hiredis/hiredis.h>\n")).size() == 1);
  CHECK(check_third_party(sample("lib/base/a.h", "#include <nlohmann/json.hpp>\n")).size() == 1);
  CHECK(check_third_party(sample("lib/base/a.h", "#include <nlohmann/json_fwd.hpp>\n")).empty());
  CHECK(check_third_party(sample("lib/base/a.cc", "#include <nlohmann/json.hpp>\n")).empty());
  CHECK(check_third_party(sample("lib/pg/a.cc", "#include <libpq-fe.h>\n")).empty());
  CHECK(check_third_party(sample("apps/cli/a.h", "#include <CLI/CLI.hpp>\n")).empty());
}

std::string function_of(int lines) {
  std::string text = "int f(int a) {\n";
  for (int i = 0; i < lines - 2; ++i) text += "  ++a;\n";
  return text + "}\n";
}

TEST_CASE("tidy: a function has at most 70 lines", "[tidy]") {
  CHECK(check_sizes(sample("lib/base/a.cc", function_of(70))).empty());
  CHECK(report(check_sizes(sample("lib/base/a.cc", "\n" + function_of(71)))) ==
        "lib/base/a.cc:2: function-size: int f(int a) : 71 lines, at most 70\n");
  const std::string in_class =
      "namespace n {\nclass C : public B {\n public:\n" + function_of(71) + "};\n}\n";
  CHECK(check_sizes(sample("lib/base/a.h", in_class)).size() == 1);
  const std::string after_literals =
      "const char* s = \"{\";  // }\nchar c = '{';\nint n = 1'000;\n" +
      std::string("#define OPEN {\nauto r = R\"x({)\")x\";\n") + function_of(71);
  CHECK(check_sizes(sample("lib/base/a.cc", after_literals)).size() == 1);
  const std::string templated = "template <typename T, typename U = List<T>>\n" + function_of(70);
  CHECK(check_sizes(sample("lib/base/a.h", templated)).size() == 1);
}

TEST_CASE("tidy: a table may be longer than a function", "[tidy]") {
  std::string table = "constexpr int kTable[] = {\n";
  for (int i = 0; i < 100; ++i) table += "    1, 2, 3,\n";
  CHECK(check_sizes(sample("lib/base/a.cc", table + "};\n")).empty());
}

TEST_CASE("tidy: a file has at most 400 lines, a test 800", "[tidy]") {
  CHECK(check_sizes(sample("lib/base/a.cc", std::string(400, '\n'))).empty());
  CHECK(check_sizes(sample("lib/base/a.cc", std::string(401, '\n'))).size() == 1);
  CHECK(check_sizes(sample("tests/base/a_test.cc", std::string(800, '\n'))).empty());
  CHECK(check_sizes(sample("tests/base/a_test.cc", std::string(801, '\n'))).size() == 1);
}

TEST_CASE("tidy: clocks, sleeps, chance and unsafe C have one place or none", "[tidy]") {
  const auto caught = [](const std::string& line, const std::string& path = "lib/io/a.cc") {
    return check_banned_calls(sample(path, "void f() { " + line + " }\n")).size();
  };
  CHECK(caught("auto t = std::chrono::steady_clock::now();") == 1);
  CHECK(caught("auto t = std::chrono::system_clock::now();") == 1);
  CHECK(caught("clock_gettime(CLOCK_MONOTONIC, &ts);") == 1);
  CHECK(caught("::clock_gettime(CLOCK_MONOTONIC, &ts);") == 1);
  CHECK(caught("std::this_thread::sleep_for(1ms);", "tests/io/a_test.cc") == 1);
  CHECK(caught("usleep(10);") == 1);
  CHECK(caught("::usleep(10);") == 1);
  CHECK(caught("int n = std::rand();") == 1);
  CHECK(caught("int n = rand();") == 1);
  CHECK(caught("std::mt19937 gen(1);") == 1);
  CHECK(caught("strtok(s, \",\");") == 1);
  CHECK(caught("sprintf(out, \"%d\", n);") == 1);
  CHECK(caught("int n = std::atoi(s);") == 1);
  CHECK(caught("std::regex r(\"a*\");") == 1);
  CHECK(caught("std::regex r(\"a*\");", "tests/io/a_test.cc") == 0);
  CHECK(caught("std::snprintf(out, n, \"%d\", i);") == 0);
  CHECK(caught("clock.sleep(10);") == 0);
  CHECK(caught("int operand = 1; int random(0);") == 0);
  CHECK(caught("log(\"usleep(10)\");  // never sleep()\n") == 0);
}

TEST_CASE("tidy: nothing returns out of a new expression", "[tidy]") {
  const auto caught = [](const std::string& lines) {
    return check_new(sample("lib/io/a.cc", "void f() {\n" + lines + "\n}\n")).size();
  };
  CHECK(caught("  return Owner(\n      new Thing(options, RT_TRY(open())));") == 1);
  CHECK(caught("  auto part = RT_TRY(open());\n  return Owner(new Thing(std::move(part)));") == 0);
  CHECK(caught("  return std::make_unique<Thing>(RT_TRY(open()));") == 0);
  CHECK(caught("  auto renewed = RT_TRY(renew(RT_TRY(open())));") == 0);
}

TEST_CASE("tidy: names say what a thing does", "[tidy]") {
  CHECK(check_names(sample("lib/io/a.h", "class ConnectionManager {};\n")).size() == 1);
  CHECK(check_names(sample("lib/io/a.h", "struct LoopImpl;\n")).size() == 1);
  CHECK(check_names(sample("lib/io/string_util.h", "")).size() == 1);
  CHECK(
      check_names(sample("lib/io/a.h", "// The Manager is gone.\nclass Implement {};\n")).empty());
}

TEST_CASE("tidy: a header begins with its purpose and is included once", "[tidy]") {
  CHECK(check_header_shape(sample("lib/io/a.h", "#pragma once\n")).size() == 2);
  CHECK(check_header_shape(sample("lib/io/a.h", "// Purpose.\nint f();\n")).size() == 1);
  CHECK(check_header_shape(sample("lib/io/a.h", "// Purpose.\n#pragma once\n")).empty());
}

TEST_CASE("tidy: nothing unfinished and nothing of one machine is left in a file", "[tidy]") {
  CHECK(check_text(sample("docs/a.md", std::string("see /ro") + "ot/x\n")).size() == 1);
  CHECK(check_text(sample("lib/io/a.cc", std::string("// FIX") + "ME later\n")).size() == 1);
  CHECK(check_text(sample("lib/io/a.cc", std::string("// TO") + "DO: later\n")).size() == 1);
  CHECK(check_text(sample("scripts/a", "line \n")).size() == 1);
  CHECK(check_text(sample("scripts/a", "\tline\n")).size() == 1);
  CHECK(check_text(sample("scripts/a", "line")).size() == 1);
  CHECK(check_text(sample("scripts/a", "line\n")).empty());
  CHECK(check_text(sample("tests/golden/a.txt", "\tline ")).empty());
}

TEST_CASE("tidy: an exception covers one rule in one file, and must be needed", "[tidy]") {
  const std::vector<Source> sources = {sample("lib/io/a.cc", "void f() { usleep(1); }\n")};
  CHECK(check_all(sources, {}).size() == 1);
  CHECK(check_all(sources, {{"banned-call", "lib/io/a.cc", "reason"}}).empty());
  CHECK(check_all(sources, {{"banned-call", "lib/io/b.cc", "reason"}}).size() == 2);
  CHECK(check_all({}, {{"banned-call", "lib/io/a.cc", "reason"}}).size() == 1);
}

}  // namespace
}  // namespace rt::tidy
