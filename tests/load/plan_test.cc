#include "load/plan.h"

#include <catch2/catch.hpp>

namespace {

// A machine of two cores and 24 GiB with a hard limit of 20,000 descriptors, as the kernel comes.
rt::Machine ordinary() {
  rt::Machine machine;
  machine.cores = 2;
  machine.memory_bytes = std::uint64_t{22} << 30;
  machine.descriptors_hard = 20'000;
  machine.open_files_max = 2'466'177;
  machine.open_files = 1'000;
  machine.accept_queue_max = 4'096;
  machine.syn_queue_max = 2'048;
  machine.tcp_pages_max = 575'802;
  return machine;
}

// 400,000 subscribers of a server on the same machine.
rt::LoadNeeds many() {
  rt::LoadNeeds needs;
  needs.subscribers = 400'000;
  needs.connects_per_s = 8'000;
  needs.target_here = true;
  needs.source_addresses = 64'516;
  needs.topics = 200'000;
  needs.phases = 4;
  return needs;
}

std::string fix_of(const rt::LoadNeeds& needs, const rt::Machine& machine, const char* name) {
  const rt::LoadPlan plan = rt::plan_load(needs, machine, "s.json");
  for (const rt::PlanItem& item : plan.items) {
    if (item.name == name) return item.fix;
  }
  return "no such item";
}

}  // namespace

TEST_CASE("plan: 400,000 connections fit two cores, 24 GiB and 20,000 descriptors a table",
          "[load][plan]") {
  const rt::LoadPlan plan = rt::plan_load(many(), ordinary(), "s.json");
  for (const rt::PlanItem& item : plan.items) {
    INFO(rt::shortage_text(item));
    CHECK_FALSE(item.is_short());
    CHECK(item.fix.empty());
  }
  CHECK(plan.first_shortage() == nullptr);
  CHECK(plan.layout.shards == 22);
  CHECK(plan.layout.sockets_of_shard == 18'182);
  // Each source address gives 28,232 ports, of which two fifths are used.
  CHECK(plan.layout.sources == 36);
  CHECK(plan.layout.sockets_of_source == 11'112);
}

TEST_CASE("plan: streams of HTTP/2 share connections, and with them descriptors and ports",
          "[load][plan]") {
  rt::LoadNeeds needs = many();
  needs.streams = 100;
  const rt::LoadPlan plan = rt::plan_load(needs, ordinary(), "s.json");
  CHECK(plan.layout.connections == 4'000);
  CHECK(plan.layout.shards == 2);
  CHECK(plan.layout.sources == 1);
  CHECK(plan.first_shortage() == nullptr);
}

TEST_CASE("plan: a low descriptor limit means more threads, until there are too many",
          "[load][plan]") {
  rt::Machine machine = ordinary();
  machine.descriptors_hard = 1'024;
  CHECK(rt::plan_load(many(), machine, "s.json").layout.shards == 417);
  CHECK(rt::plan_load(many(), machine, "s.json").first_shortage() == nullptr);
  machine.descriptors_hard = 256;
  CHECK(fix_of(many(), machine, "descriptors") == "sudo prlimit --pid $$ --nofile=1000:1000");
}

TEST_CASE("plan: ports of a target elsewhere are those of the addresses this machine has",
          "[load][plan]") {
  rt::LoadNeeds needs = many();
  needs.target_here = false;
  needs.source_addresses = 1;
  needs.subscribers = 28'232;
  CHECK(rt::plan_load(needs, ordinary(), "s.json").first_shortage() == nullptr);
  needs.subscribers = 28'233;
  CHECK(fix_of(needs, ordinary(), "ports") ==
        "sudo sysctl -w net.ipv4.ip_local_port_range=\"1024 65535\"");
  needs.subscribers = 400'000;
  CHECK(fix_of(needs, ordinary(), "ports") == "rtbench run s.json --set load.connections=28232");
  needs.source_addresses = 15;
  CHECK(rt::plan_load(needs, ordinary(), "s.json").first_shortage() == nullptr);
}

TEST_CASE("plan: a range of ports counts as far as the system's own range allows it",
          "[load][plan]") {
  rt::LoadNeeds needs = many();
  needs.source_addresses = 1;
  needs.ports = {60'000, 61'999};
  needs.subscribers = 1'000;
  const rt::LoadPlan fits = rt::plan_load(needs, ordinary(), "s.json");
  CHECK(fits.first_shortage() == nullptr);
  CHECK(fits.items[2].has == 1'000);
  CHECK(fits.items[2].what ==
        "of one source address, within 60000-61999 and the system's 32768-60999");
  needs.subscribers = 2'000;
  CHECK(fix_of(needs, ordinary(), "ports") ==
        "sudo sysctl -w net.ipv4.ip_local_port_range=\"32768 61999\"");
  needs.subscribers = 2'001;
  CHECK(fix_of(needs, ordinary(), "ports") == "rtbench run s.json --set sources.ports=auto");
  needs.ports = {2'000, 2'999};  // nothing of it is the system's
  needs.subscribers = 1;
  CHECK(rt::plan_load(needs, ordinary(), "s.json").first_shortage()->has == 0);
}

TEST_CASE("plan: a narrow range of ports takes more source addresses", "[load][plan]") {
  rt::LoadNeeds needs = many();
  needs.ports = {40'000, 40'999};
  const rt::LoadLayout layout = rt::lay_out(needs, ordinary());
  CHECK(layout.sources == 1'000);
  CHECK(layout.sockets_of_source == 400);
}

TEST_CASE("plan: a kernel that cannot bound the ports of a socket holds no such run",
          "[load][plan]") {
  rt::Machine machine = ordinary();
  machine.bounds_ports = false;
  rt::LoadNeeds needs = many();
  needs.subscribers = 10;
  CHECK(rt::plan_load(needs, machine, "s.json").first_shortage() == nullptr);
  needs.ports = {40'000, 40'999};
  const rt::LoadPlan plan = rt::plan_load(needs, machine, "s.json");
  REQUIRE(plan.first_shortage() != nullptr);
  CHECK(rt::shortage_text(*plan.first_shortage()) ==
        "not enough ports (of one source address, within 40000-40999, which this kernel cannot "
        "keep to: it takes Linux 6.3): the run needs 1, this machine has 0");
  CHECK(plan.first_shortage()->fix == "rtbench run s.json --set sources.ports=auto");
}

TEST_CASE("plan: memory counts both ends of a connection when the target is here", "[load][plan]") {
  rt::Machine machine = ordinary();
  machine.memory_bytes = std::uint64_t{3} << 30;
  rt::LoadNeeds needs = many();
  const rt::LoadPlan here = rt::plan_load(needs, machine, "s.json");
  REQUIRE(here.first_shortage() != nullptr);
  CHECK(here.first_shortage()->name == "memory");
  needs.target_here = false;
  const rt::LoadPlan there = rt::plan_load(needs, machine, "s.json");
  CHECK(there.first_shortage() == nullptr);
  CHECK(here.kernel_bytes == 2 * there.kernel_bytes);
  // What it says to run instead does fit.
  const std::string fix = here.first_shortage()->fix;
  needs.target_here = true;
  needs.subscribers = std::stoull(fix.substr(fix.rfind('=') + 1));
  CHECK(rt::plan_load(needs, machine, "s.json").first_shortage() == nullptr);
  CHECK(needs.subscribers > 300'000);
}

TEST_CASE("plan: each limit of the kernel that is too low has the command that raises it",
          "[load][plan]") {
  rt::Machine machine = ordinary();
  machine.open_files_max = 500'000;
  machine.accept_queue_max = 128;
  machine.syn_queue_max = 512;
  machine.tcp_pages_max = 100'000;
  machine.tracked_max = 262'144;
  machine.tracked = 12;
  CHECK(fix_of(many(), machine, "open files") == "sudo sysctl -w fs.file-max=900000");
  CHECK(fix_of(many(), machine, "accept queue") == "sudo sysctl -w net.core.somaxconn=1000");
  CHECK(fix_of(many(), machine, "SYN queue") == "sudo sysctl -w net.ipv4.tcp_max_syn_backlog=1000");
  CHECK(fix_of(many(), machine, "TCP memory") ==
        "sudo sysctl -w net.ipv4.tcp_mem=\"400000 533333 800000\"");
  CHECK(fix_of(many(), machine, "conntrack") ==
        "sudo sysctl -w net.netfilter.nf_conntrack_max=500000");
}

TEST_CASE("plan: the queues of another machine are not judged", "[load][plan]") {
  rt::LoadNeeds needs = many();
  needs.target_here = false;
  CHECK(fix_of(needs, ordinary(), "accept queue") == "no such item");
}

TEST_CASE("plan: as many shards as descriptor tables are needed", "[load][plan]") {
  CHECK(rt::shards_for(100, 20'000, 2) == 1);
  CHECK(rt::shards_for(10'000, 20'000, 2) == 2);
  CHECK(rt::shards_for(400'000, 20'000, 2) == 22);
  CHECK(rt::shards_for(400'000, 1'000'000, 2) == 22);
  CHECK(rt::shards_for(1'000, 1'024, 1) == 2);
}

TEST_CASE("plan: this machine can be read", "[load][plan]") {
  const rt::Machine machine = rt::read_machine();
  CHECK(machine.cores >= 1);
  CHECK(machine.memory_bytes > std::uint64_t{1} << 20);
  CHECK(machine.descriptors_hard >= 64);
  CHECK(machine.port_last > machine.port_first);
}
