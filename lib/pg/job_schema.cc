#include "pg/job_schema.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/text.h"
#include "pg/names.h"

namespace rt {

bool is_writable_job_schema(int version) {
  return version == kJobSchema10 || version == 26 || (version >= 37 && version <= kJobSchemaNewest);
}

Result<JobSchema> JobSchema::read(Connection& connection, const std::string& name) {
  const std::string attempt = fmt::format("cannot read pg-boss in schema \"{}\"", name);
  JobSchema schema;
  schema.name = name;
  const std::string table = schema.at() + ".version";
  const Rows installed =
      RT_TRY(connection.query("select to_regclass($1) is not null", {table}, attempt));
  if (installed.text(0, 0) != "t") {
    return fail(Code::refused,
                fmt::format("{} on {}: it is not installed", attempt, connection.endpoint()),
                "start the application that uses pg-boss once, or name its schema with --schema");
  }
  const Rows version = RT_TRY(connection.query("select version from " + table, attempt));
  if (version.size() > 0) {
    schema.version = static_cast<int>(parse_decimal(version.text(0, 0)).value_or(0));
  }
  return schema;
}

Result<void> JobSchema::require_writable(std::string_view attempt,
                                         const Connection& connection) const {
  if (is_writable()) return {};
  return fail(Code::refused,
              fmt::format("{} on {}: this build does not write its version {}", attempt,
                          connection.endpoint(), version),
              "versions 24, 26 and 37 to 46 are known; let the application do it");
}

std::string JobSchema::at() const {
  return quote_identifier(name);
}

Result<bool> has_job_column(Connection& connection, const JobSchema& schema,
                            const std::string& table, const std::string& column) {
  const Rows found = RT_TRY(
      connection.query("select exists (select from pg_attribute where attrelid = to_regclass($1) "
                       "and attname = $2 and not attisdropped)",
                       {schema.at() + "." + table, column},
                       fmt::format("cannot look up the columns of {}.{}", schema.name, table)));
  return found.text(0, 0) == "t";
}

bool is_job_id(std::string_view text) {
  constexpr std::string_view kShape = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx";
  if (text.size() != kShape.size()) return false;
  return std::equal(text.begin(), text.end(), kShape.begin(), [](char c, char shape) {
    return shape == '-' ? c == '-' : std::isxdigit(static_cast<unsigned char>(c)) != 0;
  });
}

}  // namespace rt
