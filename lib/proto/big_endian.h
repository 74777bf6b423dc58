// Integers in network byte order at any address, signed ones as two's complement.
#pragma once

#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <string>
#include <type_traits>

namespace rt {

namespace detail {
constexpr std::uint8_t swapped(std::uint8_t value) {
  return value;
}
constexpr std::uint16_t swapped(std::uint16_t value) {
  return __builtin_bswap16(value);
}
constexpr std::uint32_t swapped(std::uint32_t value) {
  return __builtin_bswap32(value);
}
constexpr std::uint64_t swapped(std::uint64_t value) {
  return __builtin_bswap64(value);
}
}  // namespace detail

// Reads sizeof(T) bytes: the caller has checked that they are there.
template <std::integral T>
T load_big_endian(const char* from) {
  std::make_unsigned_t<T> value;
  std::memcpy(&value, from, sizeof value);
  if constexpr (std::endian::native == std::endian::little) value = detail::swapped(value);
  return static_cast<T>(value);
}

template <std::integral T>
void store_big_endian(char* to, T number) {
  auto value = static_cast<std::make_unsigned_t<T>>(number);
  if constexpr (std::endian::native == std::endian::little) value = detail::swapped(value);
  std::memcpy(to, &value, sizeof value);
}

template <std::integral T>
void append_big_endian(std::string& out, T number) {
  char bytes[sizeof(T)];
  store_big_endian(bytes, number);
  out.append(bytes, sizeof bytes);
}

}  // namespace rt
