#pragma once

#include <map>
#include <string>

#include "mtp/common/v1/common.pb.h"
#include "tests/support/sql.h"

namespace mtp::tests {

// A database of this side's schema that no service uses, as this role sees it:
// `mtp_app`, the services', or `mtp_owner`.
std::string UnusedDatabase(common::v1::Side side, const std::string& role);

// A little of everything in an unused database of Seeduwa, made around the
// service, within one transaction that is never committed: a tealine with a
// bag, an open blend batch, a blend bag in two shipments, one of them gone and
// parcelled, and a row at least of every table that has rules. All invariants
// hold.
//
// In its statements $n stands for the id of number n (small_seeduwa.cc says
// which there are).
class SmallSeeduwa {
 public:
  // As this role.
  explicit SmallSeeduwa(const std::string& role);

  Sql::Rows Do(const std::string& statement);
  // As Draft::Refusal.
  std::string Refusal(const std::string& statement);
  // What refuses one more row that is as one where `where` holds, but for these
  // values by column, in SQL.
  std::string CopyRefusal(const std::string& table,
                          const std::map<std::string, std::string>& values,
                          const std::string& where = "true");

 private:
  Draft draft_;
};

}  // namespace mtp::tests
