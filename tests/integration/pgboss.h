// The real pg-boss for tests: npm installs the pinned versions into the build folder, once; Node
// makes schemas and queues, and works.
#pragma once

#include <sys/types.h>

#include <string>
#include <vector>

#include "integration/private_postgres.h"
#include "integration/running_tool.h"

namespace rt::test {

// The folder in which this version ("v10": 10.4.2, "v12": 12.38.0) is installed; empty, and said
// so, where npm or its registry is not at hand: Debian 12 has no Node.js that pg-boss 12 takes.
std::string installed_pgboss(const std::string& version);

// A worker in a process of its own (pgboss/worker.mjs). Gone when the object is.
class BossWorker {
 public:
  BossWorker(const std::string& folder, const PrivatePostgres& postgres, const std::string& plan);
  BossWorker(const BossWorker&) = delete;
  BossWorker& operator=(const BossWorker&) = delete;
  ~BossWorker();
  std::string log() const;

 private:
  std::string log_path_;
  pid_t pid_ = -1;
};

// A database in which pg-boss has made its schema and these queues: "mail=standard later=short".
struct Boss {
  PrivatePostgres postgres;
  std::string folder;
  std::string schema;

  Boss(std::string installed_in, std::string named, const std::string& queues);
  // create.mjs with these words; what it printed.
  std::string node(const std::string& queues) const;
  // rtctl jobs WORDS... on this database.
  Outcome jobs(std::vector<std::string> words) const;
  Outcome send(std::vector<std::string> words) const;  // rtctl pub job WORDS...
};

std::string first_line(const std::string& text);

}  // namespace rt::test
