// rtctl jobs on schemas that the real pg-boss has made, without a worker.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "integration/pgboss.h"

namespace rt::test {
namespace {

using nlohmann::json;

std::string folder_of_some_version() {
  const std::string version = GENERATE("v10", "v12");
  INFO(version);
  return installed_pgboss(version);
}

TEST_CASE("jobs: what is sent can be shown, listed, counted, cancelled and retried",
          "[jobs_verbs]") {
  const std::string folder = folder_of_some_version();
  if (folder.empty()) return;
  const Boss boss(folder, "my_boss", "mail=standard other=standard");
  const Outcome sent = boss.jobs({"send", "mail", R"({"n": [1, 1.50]})", "--priority", "-2"});
  INFO(sent.err);
  REQUIRE(sent.status == 0);
  const std::string id = first_line(sent.out);
  CHECK(sent.out == id + "\n");

  const Outcome status = boss.jobs({"status", id, "--format", "json"});
  REQUIRE(status.status == 0);
  CHECK(status.out.find("{\"id\":\"" + id +
                        "\",\"taskId\":\"mail\",\"status\":\"pending\",\"payload\":{\"n\":[1,1.50]}"
                        ",\"result\":null,\"error\":null,\"startedAt\":null,\"completedAt\":null,"
                        "\"createdAt\":\"20") == 0);
  const json job = json::parse(status.out);
  CHECK(job["state"] == "created");
  CHECK(job["retryLimit"] == 7);
  CHECK(job["priority"] == -2);
  const Outcome text = boss.jobs({"status", id});
  CHECK(text.out.find("status     pending (created)\n") != std::string::npos);

  CHECK(boss.jobs({"cancel", id}).out == "cancelled " + id + "\n");
  const json cancelled = json::parse(boss.jobs({"status", id, "--format", "json"}).out);
  CHECK(cancelled["status"] == "failed");
  CHECK(cancelled["error"] == "cancelled");
  CHECK(boss.jobs({"cancel", id}).status == 1);
  CHECK(boss.jobs({"retry", id}).status == 0);
  CHECK(boss.jobs({"retry", id}).status == 1);
  CHECK(boss.postgres.value("select state || coalesce(completed_on::text, '') from my_boss.job") ==
        "created");

  REQUIRE(boss.jobs({"send", "other"}).status == 0);
  const Outcome list = boss.jobs({"list", "mail", "--state", "pending"});
  CHECK(list.out.find("ID\tQUEUE\tSTATE") == 0);
  CHECK(list.out.find(id + "\tmail\tcreated\t0\t") != std::string::npos);
  CHECK(list.out.find("other") == std::string::npos);
  CHECK(json::parse(boss.jobs({"list", "--format", "json"}).out).size() == 2);
  CHECK(json::parse(boss.jobs({"list", "--limit", "1", "--format", "json"}).out).size() == 1);
  const Outcome stats = boss.jobs({"stats", "mail", "--format", "ndjson"});
  CHECK(json::parse(stats.out)["created"] == 1);
  CHECK(boss.jobs({"stats"}).out.find("mail\t1\t0\t0\t0\t0\t0\t") != std::string::npos);
}

TEST_CASE("jobs: no queue and no job are exit 4, broken words exit 2", "[jobs_verbs]") {
  const std::string folder = folder_of_some_version();
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard one=short");
  const std::string nobody = "00000000-0000-4000-8000-000000000000";
  for (const std::vector<std::string>& words :
       std::vector<std::vector<std::string>>{{"send", "nothing", "{}"},
                                             {"status", nobody},
                                             {"status", "no uuid"},
                                             {"cancel", nobody},
                                             {"retry", nobody},
                                             {"list", "nothing"},
                                             {"stats", "nothing"},
                                             {"schedule", "nothing", "* * * * *", "{}"},
                                             {"watch", nobody}}) {
    const Outcome end = boss.jobs(words);
    INFO(words[0] << ": " << end.err);
    CHECK(end.status == 4);
    CHECK(end.out.empty());
  }
  for (const std::vector<std::string>& words : std::vector<std::vector<std::string>>{
           {"send", "mail", "{"},
           {"send", "mail", "{}", "--priority", "x"},
           {"schedule", "mail", "61 * * * *", "{}"},
           {"schedule", "mail", "* * * * *", "{"},
           {"schedule", "mail", "* * * * *", "{}", "--tz", "Mars/Base"},
           {"schedule", "mail", "* * * * *", "{}", "--tz", "CEST"},
           {"list", "--state", "lost"}}) {
    const Outcome end = boss.jobs(words);
    INFO(words[0] << ": " << end.err);
    CHECK(end.status == 2);
  }
  CHECK(boss.jobs({"send", "one", "1"}).status == 0);
  CHECK(boss.jobs({"send", "one", "2"}).status == 1);
  CHECK(boss.jobs({"send", "mail", "[1]"}).status == 0);
}

TEST_CASE("jobs: a version that is not known is read with a warning, and never written",
          "[jobs_verbs]") {
  const std::string folder = folder_of_some_version();
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  const std::string id = first_line(boss.jobs({"send", "mail", "{}"}).out);
  for (const char* unknown : {"25", "36", "47"}) {
    boss.postgres.exec(std::string("update pgboss.version set version = ") + unknown);
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"status", id}, {"list"}, {"stats"}}) {
      const Outcome end = boss.jobs(words);
      CHECK(end.status == 0);
      CHECK(end.err.find("it is only read") != std::string::npos);
    }
    for (const std::vector<std::string>& words :
         std::vector<std::vector<std::string>>{{"send", "mail", "{}"},
                                               {"cancel", id},
                                               {"retry", id},
                                               {"setup"},
                                               {"schedule", "mail", "* * * * *", "{}"}}) {
      const Outcome end = boss.jobs(words);
      INFO(words[0] << ": " << end.err);
      CHECK(end.status == 4);
    }
    CHECK(boss.postgres.value("select version from pgboss.version") == unknown);
  }
  CHECK(boss.postgres.value("select count(*) || min(state::text) from pgboss.job") == "1created");
  CHECK(boss.postgres.value("select to_regclass('job_runs') is null") == "t");
}

TEST_CASE("jobs setup: enters what is there, says what it did, and may be run again",
          "[jobs_verbs]") {
  const std::string folder = folder_of_some_version();
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard __pgboss__inner=standard");
  const std::string id = first_line(boss.jobs({"send", "mail", R"({"a":1})"}).out);
  REQUIRE(boss.jobs({"send", "__pgboss__inner", "{}"}).status == 0);
  const Outcome first = boss.jobs({"setup"});
  INFO(first.err);
  REQUIRE(first.status == 0);
  CHECK(first.out ==
        "created  table public.job_runs\ncreated  triggers on pgboss.job\ncreated  rows of 1 jobs\n"
        "created  replica identity FULL of public.job_runs\n"
        "created  publication trigger_realtime_pub\n");
  const Outcome again = boss.jobs({"setup"});
  CHECK(again.out.find("created") == std::string::npos);
  CHECK(boss.postgres.value("select string_agg(id || task_id || status || payload, ',') "
                            "from job_runs") == id + "mailpending{\"a\": 1}");
  CHECK(boss.postgres.value("select created_at = created_on at time zone 'UTC' from job_runs, "
                            "pgboss.job where name = 'mail'") == "t");

  // A queue made later is followed as well.
  boss.node("later=standard");
  REQUIRE(boss.jobs({"send", "later", "2"}).status == 0);
  CHECK(boss.postgres.value("select payload from job_runs where task_id = 'later'") == "2");
  CHECK(boss.postgres.value("select count(*) from job_runs") == "2");

  // Who deletes a job that waits leaves no watcher behind.
  boss.postgres.exec("delete from pgboss.job where name = 'mail'");
  CHECK(boss.postgres.value("select status || ': ' || error from job_runs where id = '" + id +
                            "'") == "failed: deleted before it ended");
  CHECK(boss.jobs({"status", id, "--format", "json"}).out.find("\"status\":\"failed\"") !=
        std::string::npos);

  CHECK(boss.jobs({"setup", "--remove"}).status == 0);
  REQUIRE(boss.jobs({"send", "later", "3"}).status == 0);
  CHECK(boss.postgres.value("select count(*) from job_runs") == "2");
  REQUIRE(boss.jobs({"setup"}).status == 0);
  CHECK(boss.postgres.value("select count(*) from job_runs") == "3");
}

TEST_CASE("jobs setup: a table of its own is kept if it can hold jobs, and refused if not",
          "[jobs_verbs]") {
  const std::string folder = installed_pgboss("v12");
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard");
  boss.postgres.exec(
      "create table good (id varchar primary key, task_id text, status text, payload jsonb, "
      "result jsonb, error text, started_at timestamptz, completed_at timestamp, created_at "
      "timestamptz default now(), note text, seen int not null default 0)");
  REQUIRE(boss.jobs({"send", "mail", "{}"}).status == 0);
  CHECK(boss.jobs({"setup", "--table", "good"}).out.find("ok       table public.good\n") == 0);
  CHECK(boss.postgres.value("select good.created_at = j.created_on from good, pgboss.job j") ==
        "t");
  boss.postgres.exec("create table bad (id text primary key, task_id text)");
  const Outcome bad = boss.jobs({"setup", "--table", "bad"});
  CHECK(bad.status == 4);
  CHECK(bad.err.find("it has no column status") != std::string::npos);
  boss.postgres.exec("create table strict (like good including all, owner text not null)");
  CHECK(boss.jobs({"setup", "--table", "strict"}).err.find("its column owner must have a value") !=
        std::string::npos);
  boss.postgres.exec("create table loose (like good including defaults)");
  CHECK(boss.jobs({"setup", "--table", "loose"}).err.find("id is not unique") != std::string::npos);
  CHECK(boss.jobs({"send", "mail", "{}"}).status == 0);
}

TEST_CASE("jobs schedule: writes what the library writes, over what was there", "[jobs_verbs]") {
  const std::string version = GENERATE("v10", "v12");
  const std::string folder = installed_pgboss(version);
  if (folder.empty()) return;
  const Boss boss(folder, "pgboss", "mail=standard other=standard");
  boss.node("other=schedule");
  const auto schedule = [&](const std::string& cron, const std::string& data) {
    return boss.jobs({"schedule", "other", cron, data, "--tz", "europe/berlin"});
  };
  CHECK(schedule("1 2 3 4 5", R"({"from":"rtctl"})").out ==
        "rescheduled other 1 2 3 4 5 (europe/berlin)\n");
  const std::string ours =
      "select (to_jsonb(s) - 'created_on' - 'updated_on' - 'name')::text "
      "from pgboss.schedule s where name = ";
  const std::string written = boss.postgres.value(ours + "'other'");
  boss.postgres.exec("delete from pgboss.schedule");
  boss.node("other=schedule");
  CHECK(written == boss.postgres.value(ours + "'other'"));
  CHECK(boss.jobs({"schedule", "mail", "@hourly"}).out == "scheduled mail @hourly (UTC)\n");
  const int keyed = boss.jobs({"schedule", "mail", "* * * * *", "--key", "b"}).status;
  CHECK(keyed == (version == "v10" ? 2 : 0));
  CHECK(boss.postgres.value("select count(*) from pgboss.schedule where name = 'mail'") ==
        (version == "v10" ? "1" : "2"));
}

}  // namespace
}  // namespace rt::test
