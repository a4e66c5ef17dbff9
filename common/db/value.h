#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>

#include "absl/time/civil_time.h"
#include "absl/time/time.h"
#include "common/base/uuid.h"
#include "common/db/proto_enum.h"

// How C++ values travel to and from PostgreSQL in its binary format: a `Codec`
// per type, with the type's object id. Integers are always `bigint`; enums of
// the contract travel as text (proto_enum.h); std::optional is NULL or a value.
namespace mtp::db {

inline constexpr uint32_t kBoolOid = 16;
inline constexpr uint32_t kByteaOid = 17;
inline constexpr uint32_t kInt8Oid = 20;
inline constexpr uint32_t kTextOid = 25;
inline constexpr uint32_t kVarcharOid = 1043;
inline constexpr uint32_t kDateOid = 1082;
inline constexpr uint32_t kTimestamptzOid = 1184;
inline constexpr uint32_t kUuidOid = 2950;
inline constexpr uint32_t kTextArrayOid = 1009;
inline constexpr uint32_t kInt8ArrayOid = 1016;
inline constexpr uint32_t kUuidArrayOid = 2951;

// Bytes that are not text (`bytea`).
struct Bytes {
  std::string value;
  bool operator==(const Bytes&) const = default;
};

template <typename Integer>
void AppendBigEndian(std::string& out, Integer value) {
  using Unsigned = std::make_unsigned_t<Integer>;
  auto bits = static_cast<Unsigned>(value);
  for (int shift = 8 * (static_cast<int>(sizeof bits) - 1); shift >= 0;
       shift -= 8) {
    out.push_back(static_cast<char>(bits >> shift & 0xff));
  }
}

template <typename Integer>
Integer ReadBigEndian(std::string_view in) {
  std::make_unsigned_t<Integer> bits = 0;
  for (size_t i = 0; i < sizeof bits; ++i) {
    bits = static_cast<decltype(bits)>(bits << 8 | static_cast<uint8_t>(in[i]));
  }
  return static_cast<Integer>(bits);
}

template <typename T>
struct Codec;

template <>
struct Codec<int64_t> {
  static constexpr uint32_t kOid = kInt8Oid;
  static void Encode(std::string& out, int64_t v) { AppendBigEndian(out, v); }
  static int64_t Decode(std::string_view in) {
    return ReadBigEndian<int64_t>(in);
  }
};

template <>
struct Codec<bool> {
  static constexpr uint32_t kOid = kBoolOid;
  static void Encode(std::string& out, bool v) { out.push_back(v ? 1 : 0); }
  static bool Decode(std::string_view in) { return in[0] != 0; }
};

template <>
struct Codec<std::string> {
  static constexpr uint32_t kOid = kTextOid;
  static void Encode(std::string& out, std::string_view v) { out.append(v); }
  static std::string Decode(std::string_view in) { return std::string(in); }
};

template <>
struct Codec<Bytes> {
  static constexpr uint32_t kOid = kByteaOid;
  static void Encode(std::string& out, const Bytes& v) { out.append(v.value); }
  static Bytes Decode(std::string_view in) { return {std::string(in)}; }
};

template <>
struct Codec<Uuid> {
  static constexpr uint32_t kOid = kUuidOid;
  static void Encode(std::string& out, const Uuid& v) {
    out.append(reinterpret_cast<const char*>(v.bytes.data()), v.bytes.size());
  }
  static Uuid Decode(std::string_view in) {
    Uuid uuid;
    std::memcpy(uuid.bytes.data(), in.data(), uuid.bytes.size());
    return uuid;
  }
};

// Microseconds since 2000-01-01 UTC.
template <>
struct Codec<absl::Time> {
  static constexpr uint32_t kOid = kTimestamptzOid;
  static constexpr int64_t kEpochMicros = 946'684'800'000'000;
  static void Encode(std::string& out, absl::Time v) {
    AppendBigEndian(out, absl::ToUnixMicros(v) - kEpochMicros);
  }
  static absl::Time Decode(std::string_view in) {
    return absl::FromUnixMicros(ReadBigEndian<int64_t>(in) + kEpochMicros);
  }
};

template <>
struct Codec<absl::CivilDay> {
  static constexpr uint32_t kOid = kDateOid;
  static void Encode(std::string& out, absl::CivilDay v) {
    AppendBigEndian(out, static_cast<int32_t>(v - absl::CivilDay(2000, 1, 1)));
  }
  static absl::CivilDay Decode(std::string_view in) {
    return absl::CivilDay(2000, 1, 1) + ReadBigEndian<int32_t>(in);
  }
};

template <ProtoEnum E>
struct Codec<E> {
  static constexpr uint32_t kOid = kTextOid;
  static void Encode(std::string& out, E v) { out.append(EnumText(v)); }
  static E Decode(std::string_view in) { return EnumFromText<E>(in); }
};

template <typename T>
struct IsOptional : std::false_type {};
template <typename T>
struct IsOptional<std::optional<T>> : std::true_type {};

// The type whose codec a C++ value travels by.
template <typename T>
struct Wire {
  using Type = std::remove_cvref_t<T>;
};
template <typename T>
requires std::is_convertible_v<T, std::string_view>
struct Wire<T> {
  using Type = std::string;
};
template <typename T>
requires(std::integral<std::remove_cvref_t<T>> &&
         !std::same_as<std::remove_cvref_t<T>, bool>) struct Wire<T> {
  using Type = int64_t;
};

}  // namespace mtp::db
