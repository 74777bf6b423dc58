// rtctl publish job QUEUE: one more job for the workers of pg-boss, through a server or by SQL.
#include <fmt/format.h>

#include <charconv>
#include <memory>

#include "base/units.h"
#include "proto/json_compact.h"
#include "proto/percent.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_to_http.h"
#include "rtctl/publish_to_postgres.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::insert};

struct PublishJob : PublishFlags {
  std::string queue;
  std::string schema = "pgboss";
  std::string priority;
  std::string start_after;
  std::string key;

  bool has_options() const { return !priority.empty() || !start_after.empty() || !key.empty(); }
};

Result<NewJob> common_job(const PublishJob& flags) {
  NewJob job;
  job.queue = flags.queue;
  if (!flags.key.empty()) job.singleton_key = flags.key;
  if (!flags.priority.empty()) {
    const char* end = flags.priority.data() + flags.priority.size();
    const auto [rest, error] = std::from_chars(flags.priority.data(), end, job.priority);
    if (error != std::errc() || rest != end) {
      return fail(Code::usage, fmt::format("--priority \"{}\" is no whole number", flags.priority));
    }
  }
  if (flags.start_after.empty()) return job;
  if (const auto time = parse_rfc3339(flags.start_after)) {
    job.start_after = format_rfc3339(*time);
    return job;
  }
  const Duration delay = RT_TRY(parse_duration(flags.start_after));
  job.start_after = fmt::format("{:.6f} seconds", std::chrono::duration<double>(delay).count());
  job.start_is_interval = true;
  return job;
}

Result<PublishRoute> over_http(const PublishJob& flags) {
  if (flags.has_options()) {
    return fail(Code::usage, "--priority, --start-after and --singleton-key are for --via insert",
                "give a database with --pg, or leave them out");
  }
  std::string path = "/jobs/";
  append_percent_encoded(path, flags.queue);
  const std::string url = publish_url(flags, path);
  PublishRoute route;
  route.shape = [url](std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"POST " + url, "{\"data\":", {}, {}};
    RT_CHECKED(append_json_data(message.body, data));
    message.body.push_back('}');
    return message;
  };
  route.sink = publish_to_http(url, RT_TRY(flags.http.options()),
                               "is there such a queue? does the server have jobs? or --pg DSN");
  return route;
}

Result<PublishRoute> by_insert(const PublishJob& flags, int cancel_fd) {
  PublishRoute route;
  route.shape = [target = fmt::format("INSERT {}.job {}", flags.schema, flags.queue)](
                    std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{target, {}, {}, {}};
    RT_CHECKED(append_json_data(message.body, data));
    return message;
  };
  route.sink = publish_to_pgboss({RT_TRY(publish_dsn(flags)), cancel_fd}, flags.schema,
                                 RT_TRY(common_job(flags)));
  return route;
}

Result<int> run(const PublishJob& flags) {
  PublishVerb verb;
  verb.name = "job";
  verb.vias = kVias;
  verb.without_data = "null";
  verb.route = [&flags](const RouteRequest& request) -> Result<PublishRoute> {
    if (flags.queue.empty()) return fail(Code::usage, "the queue's name is empty");
    PublishRoute route =
        RT_TRY(request.via == Via::http ? over_http(flags) : by_insert(flags, request.cancel_fd));
    // The job's own stream, known once the job is: any first event says that it arrived.
    route.echo.after_receipt = true;
    route.echo.open =
        echo_stream({{"job", "{id}"}, publish_url(flags, ""), {}, {}, false}, flags.http);
    route.echo.key_of = [](const StreamEvent& event) { return echo_member(event.data, "id"); };
    return route;
  };
  return run_publish(flags, verb);
}

}  // namespace

void add_publish_job(cli::Tool& tool, CLI::App* publish) {
  auto flags = std::make_shared<PublishJob>();
  CLI::App* verb = tool.verb(publish, "job", "Send a job to a queue of pg-boss",
                             [flags] { return run(*flags); });
  verb->add_option("queue", flags->queue, "The queue; it must be there")
      ->type_name("QUEUE")
      ->required();
  declare_data(verb, *flags, "JSON, a job each");
  const std::string group = "Job (--via insert)";
  verb->add_option("--schema", flags->schema, "Where pg-boss lives")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--priority", flags->priority, "Higher runs first")
      ->type_name("N")
      ->group(group);
  verb->add_option("--start-after", flags->start_after, "Not before then, or that much later")
      ->type_name("TIME")
      ->group(group);
  verb->add_option("--singleton-key", flags->key, "What the queue's policy tells jobs apart by")
      ->type_name("KEY")
      ->group(group);
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl pub job email '{\"to\":\"a@example.com\"}'                  prints the job's id\n"
      "  rtctl pub job email '{\"to\":\"a@example.com\"}' --pg service=app --start-after 15m\n"
      "  jq -c '.[]' mails.json | rtctl pub job email - --pg \"$DATABASE_URL\"");
}

}  // namespace rt::rtctl
