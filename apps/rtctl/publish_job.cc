// rtctl publish job QUEUE: one more job for the workers of pg-boss, through a server or by SQL.
#include <fmt/format.h>

#include <memory>

#include "pipe/publish_to_http.h"
#include "proto/percent.h"
#include "rtctl/jobs_flags.h"
#include "rtctl/publish_loop.h"
#include "rtctl/publish_to_postgres.h"
#include "rtctl/publish_verbs.h"

namespace rt::rtctl {
namespace {

const std::vector<Via> kVias = {Via::http, Via::insert};

struct PublishJob : PublishFlags {
  std::string queue;
  std::string schema = "pgboss";
  JobOptions options;
};

Result<PublishRoute> over_http(const PublishJob& flags) {
  if (flags.options.given()) {
    return fail(Code::usage, "--priority, --start-after and --singleton-key are for --via insert",
                "give a database with --pg, or leave them out");
  }
  std::string path = "/jobs/";
  append_percent_encoded(path, flags.queue);
  const std::string url = publish_url(flags, path);
  PublishRoute route;
  route.shape = [url](std::string_view data, const TemplateValues&) -> Result<PublishMessage> {
    PublishMessage message{"POST " + url, {}, {}, {}};
    RT_CHECKED(append_json_data(message.body, data));
    return message;
  };
  route.sink = publish_to_http(
      url, RT_TRY(flags.http.options()),
      server_hints("is there such a queue? does the server have jobs? or --pg DSN"));
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
                                 RT_TRY(new_job(flags.queue, flags.options)));
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
  declare_job_options(verb, flags->options, group);
  declare_publish(verb, *flags, kVias);
  cli::Tool::examples(
      verb,
      "  rtctl pub job email '{\"to\":\"a@example.com\"}'                  prints the job's id\n"
      "  rtctl pub job email '{\"to\":\"a@example.com\"}' --pg service=app --start-after 15m\n"
      "  jq -c '.[]' mails.json | rtctl pub job email - --pg \"$DATABASE_URL\"");
}

}  // namespace rt::rtctl
