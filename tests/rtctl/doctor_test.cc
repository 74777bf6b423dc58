// The judgements of rtctl doctor over database, Redis and machine, in both directions; and what it
// prints.
#include <catch2/catch.hpp>
#include <nlohmann/json.hpp>

#include "rtctl/doctor_report.h"

namespace rt::test {
namespace {

using namespace rt::rtctl;
using namespace std::chrono_literals;

void check(const Finding& finding, Mark mark, const std::string& part) {
  INFO(finding.text << " / " << finding.fix);
  CHECK(finding.mark == mark);
  CHECK((finding.text + finding.fix).find(part) != std::string::npos);
  CHECK(finding.fix.empty() == (mark == Mark::ok || mark == Mark::skipped));
}

PgFacts sound_pg() {
  PgFacts facts;
  facts.endpoint = "db:5432/app";
  facts.version = 150'018;
  facts.wal_level = "logical";
  facts.slots_max = 10;
  facts.senders_max = 10;
  facts.senders = 1;
  facts.sender_timeout_ms = 60'000;
  facts.slot_keep_mb = 50 * 1024;
  facts.slots = {{"orders", true, 100, "reserved"}};
  facts.published = {{"pub", "public.task_run", 'f', true, true}};
  facts.role = "app";
  facts.may_replicate = true;
  facts.clock_offset = 1ms;
  facts.clock_error = 2ms;
  return facts;
}

TEST_CASE("doctor: a sound database passes every check", "[rtctl][doctor]") {
  const PgFacts facts = sound_pg();
  for (const auto judge :
       {judge_pg_connect, judge_pg_version, judge_wal_level, judge_free_slots, judge_free_senders,
        judge_slots, judge_wal_keep, judge_sender_timeout, judge_publications, judge_privilege,
        judge_notify_queue, judge_pg_clock}) {
    check(judge(facts), Mark::ok, "");
  }
}

TEST_CASE("doctor: settings of a database that cannot stream fail", "[rtctl][doctor]") {
  PgFacts facts = sound_pg();
  facts.wal_level = "replica";
  check(judge_wal_level(facts), Mark::fail, "ALTER SYSTEM SET wal_level = logical");
  facts.version = 130'005;
  check(judge_pg_version(facts), Mark::fail, "13.5");
  facts.version = 150'000;
  facts.standby = true;
  check(judge_pg_version(facts), Mark::fail, "primary");
  facts.version = 160'000;
  check(judge_pg_version(facts), Mark::ok, "standby");
  facts.may_replicate = false;
  check(judge_privilege(facts), Mark::fail, "ALTER ROLE \"app\" REPLICATION");
  facts.failure = Error{Code::unreachable, "cannot connect", {}};
  check(judge_pg_connect(facts), Mark::fail, "cannot connect");
}

TEST_CASE("doctor: the last free slot or sender warns, none fails", "[rtctl][doctor]") {
  PgFacts facts = sound_pg();
  facts.slots_max = 2;
  check(judge_free_slots(facts), Mark::warn, "max_replication_slots = 12");
  facts.slots_max = 1;
  check(judge_free_slots(facts), Mark::fail, "1 of 1");
  facts.senders = 9;
  check(judge_free_senders(facts), Mark::warn, "max_wal_senders");
  facts.senders = 10;
  check(judge_free_senders(facts), Mark::fail, "10 of 10");
}

TEST_CASE("doctor: slots that fill the disk or are lost are named", "[rtctl][doctor]") {
  PgFacts facts = sound_pg();
  facts.slots = {{"a", true, 5, "reserved"}, {"b", false, 100u << 20, "extended"}};
  check(judge_slots(facts), Mark::warn, "pg_drop_replication_slot('b')");
  facts.slots[1].active = true;
  check(judge_slots(facts), Mark::ok, "\"b\" (active)");
  facts.slots[1].lag_bytes = 2048ull << 20;
  check(judge_slots(facts), Mark::warn, "does not keep up");
  facts.slots[0].wal_status = "unreserved";
  check(judge_slots(facts), Mark::fail, "about to be lost");
  facts.slots[0].wal_status = "lost";
  check(judge_slots(facts), Mark::fail, "\"a\" is lost");
  facts.slots.clear();
  check(judge_slots(facts), Mark::ok, "no slot");
  facts.slot_keep_mb = -1;
  check(judge_wal_keep(facts), Mark::warn, "max_slot_wal_keep_size");
  facts.sender_timeout_ms = 0;
  check(judge_sender_timeout(facts), Mark::warn, "off");
  facts.sender_timeout_ms = 1'000;
  check(judge_sender_timeout(facts), Mark::warn, "short");
}

TEST_CASE("doctor: publications need tables, and tables a replica identity", "[rtctl][doctor]") {
  PgFacts facts = sound_pg();
  facts.published[0].identity = 'd';
  check(judge_publications(facts), Mark::warn, "only the key");
  facts.published[0].has_key = false;
  check(judge_publications(facts), Mark::fail, "ALTER TABLE public.task_run REPLICA IDENTITY FULL");
  facts.published[0].sends_changes = false;  // inserts need none
  check(judge_publications(facts), Mark::ok, "1 published table");
  facts.published[0].table.clear();
  check(judge_publications(facts), Mark::warn, "no table");
  facts.published.clear();
  check(judge_publications(facts), Mark::warn, "rtctl setup");
}

TEST_CASE("doctor: a full NOTIFY queue and a wrong clock are found", "[rtctl][doctor]") {
  PgFacts facts = sound_pg();
  facts.notify_usage = 0.2;
  check(judge_notify_queue(facts), Mark::warn, "20.0 %");
  facts.notify_usage = 0.6;
  check(judge_notify_queue(facts), Mark::fail, "60.0 %");
  facts.clock_offset = -70ms;
  check(judge_pg_clock(facts), Mark::warn, "-70.0 ms");
  facts.clock_error = 30ms;  // not sure enough
  check(judge_pg_clock(facts), Mark::ok, "-70.0 ms");
  facts.clock_offset = 20s;
  check(judge_pg_clock(facts), Mark::fail, "+20000.0 ms");
}

TEST_CASE("doctor: Redis limits that lose messages are found", "[rtctl][doctor]") {
  RedisFacts facts;
  facts.version = "7.0.15";
  facts.pubsub_limit = "33554432 8388608 60";
  facts.policy = "noeviction";
  check(judge_redis_connect(facts), Mark::ok, "PING");
  check(judge_redis_version(facts), Mark::ok, "7.0.15");
  check(judge_redis_output(facts), Mark::ok, "32.0 MiB");
  check(judge_redis_memory(facts), Mark::ok, "no memory limit");
  facts.version = "5.0.0";
  check(judge_redis_version(facts), Mark::warn, "Redis 6");
  facts.pubsub_limit = "0 0 0";
  check(judge_redis_output(facts), Mark::warn, "without limit");
  facts.pubsub_limit = "1024 0 0";
  check(judge_redis_output(facts), Mark::warn, "burst");
  facts.memory_max = 100;
  facts.memory_used = 50;
  check(judge_redis_memory(facts), Mark::ok, "50 %");
  facts.policy = "allkeys-lru";
  check(judge_redis_memory(facts), Mark::warn, "evicted");
  facts.memory_used = 95;
  check(judge_redis_memory(facts), Mark::fail, "95 %");
  facts.policy.reset();
  check(judge_redis_memory(facts), Mark::skipped, "CONFIG");
  facts.failure = Error{Code::unreachable, "refused", {}};
  check(judge_redis_connect(facts), Mark::fail, "refused");
}

TEST_CASE("doctor: limits of the machine are judged with a command that raises them",
          "[rtctl][doctor]") {
  MachineFacts facts;
  facts.descriptors_soft = 1'024;
  facts.descriptors_hard = 524'288;
  check(judge_descriptors(facts), Mark::ok, "hard 524288");
  facts.descriptors_hard = 20'000;
  check(judge_descriptors(facts), Mark::warn, "18000 streams");
  facts.descriptors_hard = 256;
  check(judge_descriptors(facts), Mark::fail, "ulimit");
  check(judge_ports(facts), Mark::skipped, "cannot be read");
  facts.port_first = 32'768;
  facts.port_last = 60'999;
  check(judge_ports(facts), Mark::ok, "28232 ports");
  facts.port_last = 40'000;
  check(judge_ports(facts), Mark::warn, "sysctl -w net.ipv4.ip_local_port_range");
  facts.somaxconn = 4'096;
  facts.syn_backlog = 128;
  check(judge_somaxconn(facts), Mark::ok, "4096");
  check(judge_syn_backlog(facts), Mark::warn, "sysctl -w net.ipv4.tcp_max_syn_backlog=1024");
  check(judge_conntrack(facts), Mark::ok, "not tracked");
  facts.conntrack_max = 262'144;
  facts.conntrack_count = 10;
  check(judge_conntrack(facts), Mark::ok, "10 of 262144");
  facts.conntrack_count = 200'000;
  check(judge_conntrack(facts), Mark::warn, "nf_conntrack_max=1048576");
  facts.conntrack_count = 262'000;
  check(judge_conntrack(facts), Mark::fail, "262000");
}

std::vector<Diagnosis> diagnoses(std::initializer_list<Finding> findings) {
  std::vector<Diagnosis> all;
  for (const Finding& finding : findings) {
    all.push_back({all.size() + 1, &doctor_checks()[all.size()], finding});
  }
  return all;
}

TEST_CASE("doctor: text is aligned, and coloured only if asked", "[rtctl][doctor]") {
  const auto all = diagnoses({found_ok("fine"), found_warn("so \x1b[2J so", "do this")});
  CHECK(diagnosis_text(all[0], false) == " 1 resolve        ok      fine\n");
  CHECK(diagnosis_text(all[1], false) ==
        " 2 connect        warn    so \\u001b[2J so\n                  fix: do this\n");
  CHECK(diagnosis_text(all[0], true) == " 1 resolve        \x1b[32mok      \x1b[0mfine\n");
  CHECK(summary_text(all) == "1 ok, 1 warning, 0 failed, 0 skipped");
}

TEST_CASE("doctor: JSON holds each check", "[rtctl][doctor]") {
  const auto all = nlohmann::json::parse(
      diagnosis_json(diagnoses({found_ok("fine"), found_fail("bad", "do"), found_skipped("s")})));
  CHECK(all["ok"] == false);
  CHECK(all["failed"] == 1);
  REQUIRE(all["checks"].size() == 3);
  CHECK(all["checks"][1]["name"] == "connect");
  CHECK(all["checks"][1]["result"] == "fail");
  CHECK(all["checks"][1]["fix"] == "do");
  CHECK(all["checks"][2]["result"] == "skipped");
}

TEST_CASE("doctor: monitoring gets one line and the four states it knows", "[rtctl][doctor]") {
  const auto fine = diagnoses({found_ok("a"), found_skipped("b")});
  CHECK(nagios_line(fine) ==
        "OK - 1 ok, 0 warnings, 0 failed, 1 skipped | ok=1 warn=0 fail=0 skipped=1\n");
  CHECK(nagios_status(fine) == 0);
  const auto warned = diagnoses({found_warn("x|y", "f")});
  CHECK(nagios_line(warned) == "WARNING - resolve: x/y | ok=0 warn=1 fail=0 skipped=0\n");
  CHECK(nagios_status(warned) == 1);
  const auto failed = diagnoses({found_warn("w", "f"), found_fail("z", "f")});
  CHECK(nagios_line(failed) == "CRITICAL - connect: z | ok=0 warn=1 fail=1 skipped=0\n");
  CHECK(nagios_status(failed) == 2);
  CHECK(nagios_status(diagnoses({found_skipped("s")})) == 3);
}

TEST_CASE("doctor: checks are chosen by number, name or family", "[rtctl][doctor]") {
  CHECK(select_checks({})->size() == doctor_checks().size());
  CHECK(*select_checks({"1", "tls", "2"}) == std::vector<std::size_t>{0, 1, 2});
  CHECK(select_checks({"machine"})->size() == 5);
  CHECK(select_checks({"heartbeet"}).error().hint == "did you mean heartbeat?");
  CHECK(!select_checks({"0"}));
}

}  // namespace
}  // namespace rt::test
