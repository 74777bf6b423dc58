#include "rtctl/serve_jobs.h"

#include <fmt/format.h>

#include <memory>
#include <optional>

#include "cli/environment.h"
#include "http/token_file.h"
#include "io/wakeup.h"
#include "pg/connection.h"
#include "pg/job_lookup.h"
#include "pg/job_queue.h"
#include "rtctl/serve_rows.h"
#include "server/jobs_board.h"
#include "server/jobs_endpoint.h"

namespace rt::rtctl {
namespace {

ConnectOptions connect_options(const io::Wakeup& cancel) {
  ConnectOptions options;
  options.application_name = "rtctl serve jobs";
  options.answer_timeout = std::chrono::seconds(10);  // a client waits for it
  options.cancel_fd = cancel.fd();
  return options;
}

// A connection that is made when it is first needed, and once more after it was lost. For one
// thread.
class Link {
 public:
  Link(std::string dsn, std::shared_ptr<const io::Wakeup> cancel)
      : dsn_(std::move(dsn)), cancel_(std::move(cancel)) {}

  template <typename Use>
  auto with(const Use& use) -> decltype(use(std::declval<Connection&>())) {
    const bool kept = connection_.has_value();
    if (!kept) RT_CHECKED(connect());
    auto done = use(*connection_);
    if (done || done.error().code != Code::unreachable) return done;
    connection_.reset();
    // It was idle, and the server may have been restarted meanwhile.
    if (!kept) return done;
    RT_CHECKED(connect());
    return use(*connection_);
  }

 private:
  Result<void> connect() {
    connection_ = RT_TRY(Connection::connect(dsn_, connect_options(*cancel_)));
    return {};
  }
  const std::string dsn_;
  const std::shared_ptr<const io::Wakeup> cancel_;
  std::optional<Connection> connection_;
};

// Sends each job once: after a lost connection nobody knows whether it was taken, and the client
// is told so (503).
Result<std::string> send_once(const std::string& dsn, const std::string& schema,
                              const io::Wakeup& cancel, std::optional<Connection>& connection,
                              const NewJob& job) {
  if (!connection) connection = RT_TRY(Connection::connect(dsn, connect_options(cancel)));
  const JobQueue queue = RT_TRY(JobQueue::open(*connection, schema));
  return queue.send(*connection, job);
}

// Nobody waits for the database any longer.
class JobsCancel final : public Companion {
 public:
  explicit JobsCancel(std::shared_ptr<io::Wakeup> cancel) : cancel_(std::move(cancel)) {}
  void start(server::Server& /*server*/) override {}
  void stop() override { cancel_->ring(); }

 private:
  std::shared_ptr<io::Wakeup> cancel_;
};

server::JobsBoard::Options board_options(const JobsSurfaceFlags& flags, const TableName& table,
                                         const std::string& dsn,
                                         const std::shared_ptr<const io::Wakeup>& cancel) {
  server::JobsBoard::Options options;
  options.table = table.text();
  options.look = [link = std::make_shared<Link>(dsn, cancel), table](const std::string& id) {
    return link->with([&](Connection& connection) { return read_job_run(connection, table, id); });
  };
  options.send = [dsn, schema = flags.schema, cancel,
                  connection = std::make_shared<std::optional<Connection>>()](
                     const std::string& queue, const std::string& data) -> Result<std::string> {
    NewJob job;
    job.queue = queue;
    job.data = data;
    auto sent = send_once(dsn, schema, *cancel, *connection, job);
    if (sent) return sent;
    Error error = sent.error();
    const bool no_queue = error.text.find("there is no such queue") != std::string::npos;
    if (error.code == Code::unreachable || error.code == Code::cancelled) connection->reset();
    if (error.code == Code::refused && !no_queue) error.code = Code::unreachable;
    return fail(std::move(error));
  };
  return options;
}

Result<void> check_jobs(const JobsSurfaceFlags& flags, const TableName& table,
                        const ServeContext& context) {
  Connection connection = RT_TRY(Connection::connect(
      context.dsn, {.application_name = "rtctl serve", .cancel_fd = context.cancel_fd}));
  RT_TRY(JobSchema::read(connection, flags.schema));
  const Rows found = RT_TRY(connection.query("select to_regclass($1) is not null", {table.quoted()},
                                             "cannot look up job_runs"));
  if (found.text(0, 0) == "t") return {};
  return fail(Code::refused, fmt::format("table {} does not exist", table.text()),
              "\"rtctl jobs setup\" creates it and keeps it");
}

const std::vector<std::string> kPaths = {"/jobs", "/api/jobs"};

Result<server::JobsHttp> jobs_http(const JobsSurfaceFlags& flags) {
  server::JobsHttp http;
  http.token = flags.token_file.empty() ? cli::first_set({"RT_JOBS_TOKEN"})
                                        : RT_TRY(read_token_file(flags.token_file));
  return http;
}

ServedSurface without_database() {
  return unavailable(server::Surface::jobs, kPaths,
                     Error{Code::refused, "jobs need a database", "name it with --pg"});
}

}  // namespace

void declare_jobs_surface(CLI::App* verb, JobsSurfaceFlags& flags) {
  const std::string group = "Jobs";
  verb->add_option("--jobs-schema", flags.schema, "Where pg-boss lives")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--jobs-table", flags.table, "The table of jobs (\"rtctl jobs setup\")")
      ->type_name("NAME")
      ->capture_default_str()
      ->group(group);
  verb->add_option("--jobs-token-file", flags.token_file,
                   "Who comes must bear this token (else RT_JOBS_TOKEN, else anybody may)")
      ->type_name("FILE")
      ->group(group);
}

Result<ServedSurface> inspect_jobs(const JobsSurfaceFlags& flags, const ServeContext& context) {
  RT_TRY(parse_table_name(flags.table));
  RT_TRY(jobs_http(flags));
  if (context.dsn.empty()) return without_database();
  ServedSurface served;
  served.parts.surface = server::Surface::jobs;
  return served;
}

Result<ServedSurface> serve_jobs(const JobsSurfaceFlags& flags, const std::string& publication,
                                 const ServeContext& context) {
  const TableName table = RT_TRY(parse_table_name(flags.table));
  server::JobsHttp http = RT_TRY(jobs_http(flags));
  if (context.dsn.empty()) return without_database();
  Result<void> ready = check_jobs(flags, table, context);
  if (ready) ready = prepare_rows(context, table, publication);
  if (!ready && ready.error().code == Code::refused) {
    return unavailable(server::Surface::jobs, kPaths, ready.error());
  }
  RT_CHECKED(ready);
  const auto cancel = std::make_shared<io::Wakeup>(RT_TRY(io::Wakeup::create()));
  auto board =
      std::make_unique<server::JobsBoard>(board_options(flags, table, context.dsn, cancel));
  ServedSurface served;
  served.parts.surface = server::Surface::jobs;
  served.parts.endpoint = std::make_shared<server::JobsEndpoint>(std::move(http));
  served.parts.health = [count = board->unfinished_count()] {
    server::SurfaceHealth health;
    health.counts.emplace_back("unfinished_jobs", count->load());
    return health;
  };
  served.parts.board = std::move(board);
  served.companion = std::make_unique<JobsCancel>(cancel);
  served.row_tables = {table};
  return served;
}

}  // namespace rt::rtctl
