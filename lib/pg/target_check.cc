#include "pg/target_check.h"

#include <libpq-fe.h>

#include <cstdlib>
#include <cstring>
#include <memory>

#include "base/text.h"

namespace rt {
namespace {

bool is_local_host(std::string_view host) {
  return host.empty() || host[0] == '/' || host[0] == '@' || host == "localhost" || host == "::1" ||
         host.substr(0, 4) == "127.";
}

struct Hosts {
  std::string host;
  std::string address;  // hostaddr: if given, it is what counts
};

Result<Hosts> hosts_of(const std::string& dsn) {
  Hosts hosts;
  if (const char* given = std::getenv("PGHOST")) hosts.host = given;
  if (const char* given = std::getenv("PGHOSTADDR")) hosts.address = given;
  const bool bare_name = dsn.find('=') == dsn.npos && dsn.find("://") == dsn.npos;
  if (bare_name) return hosts;
  const std::unique_ptr<PQconninfoOption, decltype(&PQconninfoFree)> options(
      PQconninfoParse(dsn.c_str(), nullptr), &PQconninfoFree);
  if (options == nullptr) {
    return fail(Code::usage, "cannot read the PostgreSQL connection string: it is malformed",
                "write postgresql://user@host:5432/database");
  }
  for (const PQconninfoOption* option = options.get(); option->keyword != nullptr; ++option) {
    if (option->val == nullptr) continue;
    if (std::strcmp(option->keyword, "host") == 0) hosts.host = option->val;
    if (std::strcmp(option->keyword, "hostaddr") == 0) hosts.address = option->val;
    // A service file may name any host.
    if (std::strcmp(option->keyword, "service") == 0) hosts.address = "service";
  }
  return hosts;
}

}  // namespace

Result<bool> is_local_database(const std::string& dsn) {
  const Hosts hosts = RT_TRY(hosts_of(dsn));
  const std::string& all = hosts.address.empty() ? hosts.host : hosts.address;
  for (const std::string_view host : split(all, ',')) {
    if (!is_local_host(trim(host))) return false;
  }
  return true;
}

Result<std::optional<bool>> is_recorded_database(Connection& connection, std::uint64_t system_id,
                                                 const std::string& publication) {
  const auto same = connection.query(
      "SELECT system_identifier::text FROM pg_catalog.pg_control_system()", "cannot identify");
  if (!same) {
    if (same.error().code == Code::refused) return std::nullopt;
    return fail(same.error());
  }
  if (same->text(0, 0) != std::to_string(system_id)) return false;
  const Rows rows =
      RT_TRY(connection.query("SELECT FROM pg_catalog.pg_publication WHERE $1 = '' OR pubname = $1",
                              {publication}, "cannot look for the publication"));
  return rows.size() > 0;
}

}  // namespace rt
