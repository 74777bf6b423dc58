// rtctl setup: what a database needs before its changes can be streamed.
#include "pg/setup.h"

#include <fmt/format.h>

#include <cstdio>
#include <memory>

#include "cli/environment.h"
#include "pg/connection.h"
#include "pg/names.h"
#include "rtctl/verbs.h"

namespace rt::rtctl {
namespace {

struct Setup {
  std::string dsn;
  std::string table = "task_run";
  std::string publication{kDefaultPublication};
};

Result<int> run(const Setup& flags) {
  const std::string dsn = flags.dsn.empty() ? cli::first_set({"RT_PG", "DATABASE_URL"}) : flags.dsn;
  if (dsn.empty()) {
    return fail(Code::usage, "which database? --pg is missing",
                "for example: rtctl setup --pg postgresql://localhost/app");
  }
  const SetupOptions options{RT_TRY(parse_table_name(flags.table)), flags.publication};
  Connection connection = RT_TRY(Connection::connect(dsn, {.application_name = "rtctl setup"}));
  RT_CHECKED(set_up(connection, options, [](const SetupStep& step) {
    std::printf("%-8s %s\n", step.changed ? "created" : "ok", step.text.c_str());
    std::fflush(stdout);
  }));
  return 0;
}

}  // namespace

void add_setup(cli::Tool& tool) {
  auto flags = std::make_shared<Setup>();
  CLI::App* verb =
      tool.verb("setup", "Create run table, replica identity and publication in a database",
                [flags] { return run(*flags); });
  verb->add_option("--pg", flags->dsn, "The database (else RT_PG, DATABASE_URL)")->type_name("DSN");
  verb->add_option("--table", flags->table, "The run table")
      ->type_name("NAME")
      ->capture_default_str();
  verb->add_option("--publication", flags->publication, "The publication")
      ->type_name("NAME")
      ->envname("PUBLICATION_NAME")
      ->capture_default_str();
  cli::Tool::examples(
      verb,
      "  rtctl setup --pg postgresql://localhost/app\n"
      "  rtctl setup --pg service=app --table app.task_run   what exists is left alone");
}

}  // namespace rt::rtctl
