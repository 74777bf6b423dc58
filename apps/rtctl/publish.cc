// rtctl publish run: one row of the run table, inserted or changed, in a database or in a server
// that serves from memory.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <functional>
#include <memory>

#include "cli/environment.h"
#include "cli/http_flags.h"
#include "cli/line_reader.h"
#include "http/http_post.h"
#include "pg/connection.h"
#include "pg/names.h"
#include "rtctl/run_row.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct PublishRun {
  RunFields fields;
  std::string env;
  std::string status;
  std::string json;
  std::string input;  // "-": rows from standard input
  std::string dsn;
  std::string url;
  std::string table = "task_run";
  cli::HttpFlags http;
};

using PutRow = std::function<Result<void>(const RunRow&)>;

Result<PutRow> database(const std::string& dsn, const std::string& table_text) {
  const TableName table = RT_TRY(parse_table_name(table_text));
  auto connection = std::make_shared<Connection>(
      RT_TRY(Connection::connect(dsn, {.application_name = "rtctl publish"})));
  return [connection, table](const RunRow& row) -> Result<void> {
    Parameters values;
    for (const RunRow::Column& column : row.columns) values.push_back(column.value);
    auto done = connection->query(
        upsert_sql(row, table.quoted()), values,
        fmt::format("cannot publish run \"{}\" to table {}", row.id(), table.text()));
    if (done) return {};
    Error error = std::move(done).error();
    const bool no_table = error.text.find("(42P01)") != std::string::npos;  // undefined_table
    if (no_table) error.hint = "\"rtctl setup\" creates the run table";
    return fail(std::move(error));
  };
}

// What a server answers to a row that it does not take: its reason, if it is one short line.
std::string reason(const HttpReply& reply) {
  const std::size_t end = reply.body.find_first_of("\r\n");
  const std::string line = reply.body.substr(0, std::min<std::size_t>(end, 200));
  return line.empty() ? "" : ": " + line;
}

Result<PutRow> server(const std::string& base, const HttpOptions& options) {
  std::string url = base;
  while (!url.empty() && url.back() == '/') url.pop_back();
  url += "/v1/runs";
  auto post = std::make_shared<HttpPost>(url, options);
  return [post, url](const RunRow& row) -> Result<void> {
    const HttpReply reply = RT_TRY(post->post("application/json", run_row_json(row)));
    if (reply.status >= 200 && reply.status < 300) return {};
    const Code code = reply.status == 400 || reply.status == 413   ? Code::usage
                      : reply.status == 429 || reply.status >= 500 ? Code::unreachable
                                                                   : Code::refused;
    const std::string hint =
        reply.status == 404 || reply.status == 405
            ? "a server that reads a database takes rows there: --pg DSN instead of --url"
            : "";
    return fail(code,
                fmt::format("cannot publish run \"{}\" to {}: {}{}", row.id(), url, reply.status,
                            reason(reply)),
                hint);
  };
}

Result<PutRow> target(const PublishRun& flags) {
  if (!flags.dsn.empty() && !flags.url.empty()) {
    return fail(Code::usage, "--pg and --url exclude each other");
  }
  const std::string dsn = !flags.dsn.empty() || !flags.url.empty()
                              ? flags.dsn
                              : cli::first_set({"RT_PG", "DATABASE_URL"});
  if (!dsn.empty()) return database(dsn, flags.table);
  std::string url = !flags.url.empty() ? flags.url : cli::first_set({"RT_URL"});
  if (url.empty()) url = kDefaultUrl;
  return server(url, RT_TRY(flags.http.options()));
}

Result<void> publish_one(const RunRow& row, const PutRow& put) {
  RT_CHECKED(put(row));
  std::printf("%s\n", std::string(row.id()).c_str());
  std::fflush(stdout);
  return {};
}

Result<int> publish_lines(const PutRow& put) {
  cli::LineReader lines(STDIN_FILENO);
  for (;;) {
    const auto line = RT_TRY(lines.next());
    if (!line) return 0;
    if (line->find_first_not_of(" \t") == std::string::npos) continue;
    const auto row = parse_run_row(*line);
    const Result<void> done = row ? publish_one(*row, put) : fail(row.error());
    if (!done) {
      return fail(Error(done.error()).context(fmt::format("input line {}", lines.number())));
    }
  }
}

Result<int> run(PublishRun& flags) {
  if (!flags.input.empty()) {
    if (flags.input != "-") {
      return fail(Code::usage, fmt::format("unexpected word \"{}\"", flags.input),
                  "name the run with --id, or give - to read rows from standard input");
    }
    return publish_lines(RT_TRY(target(flags)));
  }
  if (flags.fields.id.empty()) {
    return fail(Code::usage, "which run? --id is missing",
                "for example: rtctl publish run --id r1 --status running");
  }
  if (!flags.env.empty()) flags.fields.env = flags.env;
  if (!flags.status.empty()) flags.fields.status = flags.status;
  if (!flags.json.empty()) flags.fields.json = flags.json;
  const RunRow row = RT_TRY(run_row(flags.fields));
  const PutRow put = RT_TRY(target(flags));
  RT_CHECKED(publish_one(row, put));
  return 0;
}

}  // namespace

void add_publish(cli::Tool& tool) {
  CLI::App* publish = tool.group("publish", "Make something happen on a stream");
  publish->alias("pub");
  auto flags = std::make_shared<PublishRun>();
  CLI::App* verb = tool.verb(publish, "run", "Insert or change one run, or one for each input line",
                             [flags] { return run(*flags); });
  verb->add_option("input", flags->input, "- reads rows from standard input: a JSON object a line");
  verb->add_option("--id", flags->fields.id, "The run's id (its key)")->type_name("ID");
  verb->add_option("--env", flags->env, "Its environment")->type_name("ID");
  verb->add_option("--status", flags->status, "Its status")->type_name("WORD");
  verb->add_option("--tag", flags->fields.tags, "Its tags: repeat the flag for several")
      ->type_name("TAG")
      ->allow_extra_args(false);
  verb->add_option("--data", flags->json, "Its data, any JSON value")->type_name("JSON");
  verb->add_option("--pg", flags->dsn, "Write to this database (else RT_PG, DATABASE_URL)")
      ->type_name("DSN");
  verb->add_option(
          "-u,--url", flags->url,
          "Write to a server without a database (else RT_URL, " + std::string(kDefaultUrl) + ")")
      ->type_name("URL");
  verb->add_option("--table", flags->table, "The run table")
      ->type_name("NAME")
      ->capture_default_str();
  flags->http.declare(verb);
  cli::Tool::examples(
      verb,
      "  rtctl publish run --id r1 --status running --tag demo       to rtctl serve\n"
      "  rtctl publish run --id r1 --data '{\"step\":3}' --pg service=app\n"
      "  jq -c '.[]' rows.json | rtctl pub run - --pg \"$DATABASE_URL\"");
}

}  // namespace rt::rtctl
