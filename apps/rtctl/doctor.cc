// rtctl doctor: numbered checks of a stream, a database, a Redis and this machine, each with its
// fix.
#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <memory>

#include "base/units.h"
#include "cli/environment.h"
#include "cli/http_flags.h"
#include "cli/stop_watch.h"
#include "cli/terminal.h"
#include "rtctl/doctor_report.h"
#include "rtctl/runs_query.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Doctor {
  std::string source;
  std::string url;
  std::string dsn;
  std::string redis;
  std::vector<std::string> only;
  std::string format = "text";
  std::string patience = "20s";
  std::string timeout;
  std::string colour = "auto";
  bool json = false;
  bool quiet = false;
  cli::HttpFlags http;
};

// The stream that is named, else the runs of the server that is named, else none.
std::string stream_url(const Doctor& flags) {
  if (!flags.source.empty() && flags.source != "runs") return flags.source;
  std::string server = !flags.url.empty() ? flags.url : cli::first_set({"RT_URL"});
  if (server.empty() && flags.source == "runs") server = kDefaultUrl;
  return server.empty() ? server : runs_stream_url(server, {});
}

class Examination {
 public:
  Examination(const Doctor& flags, std::vector<std::size_t> selected, std::stop_token stop)
      : flags_(flags), selected_(std::move(selected)), stop_(std::move(stop)) {}

  Result<void> run() {
    format_ = flags_.json ? "json" : flags_.format;
    colour_ = RT_TRY(cli::use_colour(flags_.colour, STDOUT_FILENO));
    if (wants(Family::http)) RT_CHECKED(measure_stream());
    judge(Family::http);
    if (wants(Family::pg)) RT_CHECKED(measure_database());
    judge(Family::pg);
    if (wants(Family::redis)) RT_CHECKED(measure_cache());
    judge(Family::redis);
    if (wants(Family::machine)) facts_.machine = measure_machine();
    judge(Family::machine);
    return {};
  }

  int report() const {
    const bool failed = std::any_of(all_.begin(), all_.end(), [](const Diagnosis& one) {
      return one.finding.mark == Mark::fail;
    });
    if (format_ == "nagios") {
      std::fputs(nagios_line(all_).c_str(), stdout);
      return nagios_status(all_);
    }
    if (format_ == "json") std::fputs(diagnosis_json(all_).c_str(), stdout);
    if (format_ == "text") std::printf("%s\n", summary_text(all_).c_str());
    return failed ? 1 : 0;
  }

 private:
  bool is_selected(std::size_t index) const {
    return std::find(selected_.begin(), selected_.end(), index) != selected_.end();
  }
  bool wants(Family family) const {
    return std::any_of(selected_.begin(), selected_.end(),
                       [&](std::size_t index) { return doctor_checks()[index].family == family; });
  }
  bool wants(std::string_view name) const {
    return std::any_of(selected_.begin(), selected_.end(),
                       [&](std::size_t index) { return doctor_checks()[index].name == name; });
  }
  void tell(const std::string& line) const {
    if (!flags_.quiet && format_ == "text") std::fprintf(stderr, "rtctl: %s\n", line.c_str());
  }

  Result<void> measure_stream() {
    HttpPlan plan;
    plan.url = stream_url(flags_);
    if (plan.url.empty()) return {};
    plan.http = RT_TRY(flags_.http.options());
    plan.patience = RT_TRY(parse_duration(flags_.patience));
    plan.resume = wants("resume");
    plan.gzip = wants("gzip");
    plan.tell = [this](const std::string& line) { tell(line); };
    plan.stop = stop_;
    facts_.http = RT_TRY(measure_http(plan));
    return {};
  }
  Result<void> measure_database() {
    const std::string dsn =
        !flags_.dsn.empty() ? flags_.dsn : cli::first_set({"RT_PG", "DATABASE_URL"});
    if (!dsn.empty()) facts_.pg = RT_TRY(measure_pg(dsn));
    return {};
  }
  Result<void> measure_cache() {
    const std::string url =
        !flags_.redis.empty() ? flags_.redis : cli::first_set({"RT_REDIS", "REDIS_URL"});
    if (!url.empty()) facts_.redis = RT_TRY(measure_redis(url));
    return {};
  }

  bool is_absent(Family family) const {
    return (family == Family::http && !facts_.http) || (family == Family::pg && !facts_.pg) ||
           (family == Family::redis && !facts_.redis);
  }

  // Text appears as soon as a family is measured; one that is not there has one line.
  void judge(Family family) {
    bool shown = format_ == "text";
    for (std::size_t i = 0; i < doctor_checks().size(); ++i) {
      const Check& check = doctor_checks()[i];
      if (check.family != family || !is_selected(i)) continue;
      all_.push_back({i + 1, &check, check.judge(facts_)});
      if (!shown) continue;
      const bool absent = is_absent(family);
      const std::string text =
          absent ? family_text(all_.back(), colour_) : diagnosis_text(all_.back(), colour_);
      std::fputs(text.c_str(), stdout);
      std::fflush(stdout);
      shown = !absent;
    }
  }

  const Doctor& flags_;
  std::vector<std::size_t> selected_;
  std::stop_token stop_;
  std::string format_;
  bool colour_ = false;
  DoctorFacts facts_;
  std::vector<Diagnosis> all_;
};

Result<int> examine(const Doctor& flags) {
  std::vector<std::size_t> selected = RT_TRY(select_checks(flags.only));
  cli::StopWatch::Options limits;
  if (!flags.timeout.empty()) limits.time_max = RT_TRY(parse_duration(flags.timeout));
  const auto watch = RT_TRY(cli::StopWatch::start(limits));
  Examination examination(flags, std::move(selected), watch->token());
  const Result<void> done = examination.run();
  if (done) return examination.report();
  if (done.error().code != Code::cancelled) return fail(done.error());
  if (watch->cause() == cli::StopCause::interrupted) return watch->signal_status();
  return fail(Code::negative, "the examination did not end in time", "raise --timeout");
}

// Monitoring wants one line and its own exit codes, whatever happens.
Result<int> run(const Doctor& flags) {
  Result<int> status = examine(flags);
  if (status || flags.json || flags.format != "nagios") return status;
  constexpr int kUnknown = 3;
  std::printf("UNKNOWN - %s\n", status.error().text.c_str());
  return kUnknown;
}

void declare(CLI::App* verb, Doctor& flags) {
  verb->add_option("source", flags.source, "The stream's URL, or: runs")->type_name("URL|runs");
  verb->add_option("-u,--url", flags.url, "Server of the runs (else RT_URL)")->type_name("URL");
  verb->add_option("--pg", flags.dsn, "The database (else RT_PG, DATABASE_URL)")->type_name("DSN");
  verb->add_option("--redis", flags.redis, "The Redis (else RT_REDIS, REDIS_URL)")
      ->type_name("URL");
  verb->add_option("--only", flags.only, "Checks by number or name, or http, pg, redis, machine")
      ->type_name("CHECK,..")
      ->delimiter(',')
      ->allow_extra_args(false);
  verb->add_option("--format", flags.format, "Form of the answer; nagios has exit codes of its own")
      ->check(CLI::IsMember({"text", "json", "nagios"}))
      ->capture_default_str();
  verb->add_flag("--json", flags.json, "As --format json");
  verb->add_option("--patience", flags.patience, "How long to wait for a heartbeat")
      ->type_name("TIME")
      ->capture_default_str();
  verb->add_option("--timeout", flags.timeout, "Give up after that long (exit 1)")
      ->type_name("TIME");
  verb->add_option("--color", flags.colour, "auto, always, never")
      ->type_name("WHEN")
      ->envname("RT_COLOR")
      ->capture_default_str();
  verb->add_flag("-q,--quiet", flags.quiet, "Do not tell on standard error what is waited for");
  flags.http.declare(verb);
}

}  // namespace

void add_doctor(cli::Tool& tool) {
  auto flags = std::make_shared<Doctor>();
  CLI::App* verb = tool.verb("doctor", "Check stream, database, Redis and machine, with fixes",
                             [flags] { return run(*flags); });
  declare(verb, *flags);
  cli::Tool::examples(
      verb,
      "  rtctl doctor https://example.com/events              one stream, and this machine\n"
      "  rtctl doctor runs --pg service=app                   rtctl serve and its database\n"
      "  rtctl doctor --only pg --pg service=app --json       for programs\n"
      "  rtctl doctor URL --only heartbeat,9 --patience 65s   some checks, with more patience\n"
      "exit status: 0 nothing failed (warnings are allowed), 1 a check failed, 2 usage\n"
      "--format nagios: one line; 0 OK, 1 WARNING, 2 CRITICAL, 3 UNKNOWN");
}

}  // namespace rt::rtctl
