// The result of one SQL statement, owned. Text format only.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>
#include <utility>

struct pg_result;  // libpq's PGresult

namespace rt {

// Views into it live as long as the Rows. Move-only; any thread, one at a time.
class Rows {
 public:
  Rows() = default;
  explicit Rows(pg_result* result) : result_(result) {}
  Rows(Rows&& other) noexcept : result_(std::exchange(other.result_, nullptr)) {}
  Rows& operator=(Rows&& other) noexcept {
    std::swap(result_, other.result_);
    return *this;
  }
  Rows(const Rows&) = delete;
  Rows& operator=(const Rows&) = delete;
  ~Rows();

  int size() const;
  int columns() const;
  // nullopt for NULL.
  std::optional<std::string_view> value(int row, int column) const;
  // "" for NULL.
  std::string_view text(int row, int column) const { return value(row, column).value_or(""); }
  // Rows an INSERT, UPDATE or DELETE touched; 0 for other statements.
  std::uint64_t affected() const;
  pg_result* get() const { return result_; }

 private:
  pg_result* result_ = nullptr;
};

}  // namespace rt
