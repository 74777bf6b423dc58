// rtctl publish run: a row of the run table, inserted or changed, in a database or in a server that
// serves from memory.
#include <fmt/format.h>

#include <memory>

#include "pg/names.h"
#include "pipe/publish_to_http.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_to_postgres.h"
#include "rtctl/publish_verbs.h"
#include "rtctl/run_row.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::insert};

struct PublishRun : PublishFlags {
  std::string id;
  std::string env;
  std::string status;
  std::vector<std::string> tags;
  std::string json;
  std::string table = "task_run";

  bool has_fields() const {
    return !env.empty() || !status.empty() || !tags.empty() || !json.empty();
  }
};

Result<Template> text_of(const PublishRun& flags, const std::string& text) {
  return flags.no_template ? Template::verbatim(text) : Template::compile(text);
}

// A row made of flags, each of which may have placeholders.
struct RowTemplate {
  Template id, env, status, json;
  std::vector<Template> tags;
  bool has_env = false, has_status = false, has_json = false;

  static Result<RowTemplate> of(const PublishRun& flags) {
    RowTemplate made;
    made.id = RT_TRY(text_of(flags, flags.id));
    made.env = RT_TRY(text_of(flags, flags.env));
    made.status = RT_TRY(text_of(flags, flags.status));
    made.json = RT_TRY(text_of(flags, flags.json));
    for (const std::string& tag : flags.tags) made.tags.push_back(RT_TRY(text_of(flags, tag)));
    made.has_env = !flags.env.empty();
    made.has_status = !flags.status.empty();
    made.has_json = !flags.json.empty();
    return made;
  }

  Result<void> compose(std::string& out, const TemplateValues& values, Random& random) const {
    const auto expanded = [&](const Template& text) {
      std::string to;
      text.expand(to, values, random);
      return to;
    };
    RunFields fields;
    fields.id = expanded(id);
    if (has_env) fields.env = expanded(env);
    if (has_status) fields.status = expanded(status);
    if (has_json) fields.json = expanded(json);
    for (const Template& tag : tags) fields.tags.push_back(expanded(tag));
    out += run_row_json(RT_TRY(run_row(fields)));
    return {};
  }
};

Result<PublishRoute> route_of(const PublishRun& flags, const RouteRequest& request) {
  const std::string url = publish_url(flags, "/v1/runs");
  const std::string target = request.via == Via::http
                                 ? "POST " + url
                                 : "INSERT " + RT_TRY(parse_table_name(flags.table)).text();
  PublishRoute route;
  route.shape = [target](std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    const RunRow row = RT_TRY(parse_run_row(data));
    const std::string id(row.id());
    return PublishMessage{target, run_row_json(row), id, id};
  };
  const HttpOptions http = RT_TRY(flags.http.options());
  if (request.via == Via::http) {
    route.sink =
        publish_to_http(url, http,
                        server_hints("a server that reads a database takes rows there: --pg DSN "
                                     "instead of --url"));
  } else {
    route.sink = publish_to_runs({RT_TRY(publish_dsn(flags)), request.cancel_fd}, flags.table);
  }
  route.echo.open = echo_stream({{"runs"}, publish_url(flags, ""), {}, {}, false}, flags.http);
  route.echo.key_of = [](const StreamEvent& event) { return echo_member(event.data, "id"); };
  route.echo.tells_past = true;
  return route;
}

Result<int> run(const PublishRun& flags) {
  PublishVerb verb;
  verb.name = "run";
  verb.vias = kVias;
  verb.insert_by_environment = true;
  verb.route = [&flags](const RouteRequest& request) { return route_of(flags, request); };
  const bool from_flags = !flags.id.empty() || flags.has_fields();
  if (from_flags && !flags.data.empty()) {
    return fail(Code::usage, "--id and its like describe one run, data others",
                "keep the flags, or rows as JSON");
  }
  if (flags.id.empty() && flags.data.empty() && flags.line_template.empty()) {
    return fail(Code::usage, "which run? --id is missing",
                "for example: rtctl publish run --id r1 --status running");
  }
  if (from_flags) {
    const auto row = std::make_shared<RowTemplate>(RT_TRY(RowTemplate::of(flags)));
    verb.composer = [row](std::string& out, const TemplateValues& values, Random& random) {
      return row->compose(out, values, random);
    };
  }
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_run(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishRun>();
  CLI::App* verb = tool.verb(publish, "run", "Insert or change a run, or one for each input line",
                             [flags] { return run(*flags); });
  verb->add_option("rows", flags->data, "Rows as JSON objects; - : one for each input line")
      ->type_name("JSON");
  verb->add_option("--id", flags->id, "The run's id (its key)")->type_name("ID");
  verb->add_option("--env", flags->env, "Its environment")->type_name("ID");
  verb->add_option("--status", flags->status, "Its status")->type_name("WORD");
  verb->add_option("--tag", flags->tags, "Its tags: repeat the flag for several")
      ->type_name("TAG")
      ->allow_extra_args(false);
  verb->add_option("--data", flags->json, "Its data, any JSON value")->type_name("JSON");
  verb->add_option("--table", flags->table, "insert: the run table")
      ->type_name("NAME")
      ->capture_default_str();
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl publish run --id r1 --status running --tag demo       to rtctl serve\n"
      "  rtctl publish run --id r1 --data '{\"step\":3}' --pg service=app\n"
      "  rtctl pub run --id 'r{{rand 1 100}}' --data '{\"step\":{{n}}}' -r 50/s -d 1m\n"
      "  jq -c '.[]' rows.json | rtctl pub run - --pg \"$DATABASE_URL\"");
}

}  // namespace rt::rtctl
