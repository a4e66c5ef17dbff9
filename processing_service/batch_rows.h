#pragma once

#include <optional>
#include <string>
#include <vector>

#include "common/base/uuid.h"
#include "common/db/table.h"
#include "mtp/processing/v1/batches.pb.h"
#include "processing_service/kinds.h"

namespace mtp::processing {

// A batch of a recipe revision, with what its recipe calls it.
struct Batch {
  using Key = Uuid;

  Uuid batch_id;
  MaterialKind kind = v1::MATERIAL_KIND_UNSPECIFIED;
  Uuid recipe_id;
  int64_t revision = 0;
  int64_t batch_number = 0;
  v1::BatchState state = v1::BATCH_STATE_OPEN;
  v1::TraderState trader_state = v1::TRADER_STATE_UNSPECIFIED;
  std::optional<absl::Time> trader_changed_at;
  int64_t in_grams = 0;
  int64_t opening_grams = 0;
  int64_t out_grams = 0;
  int64_t out_bags = 0;
  int64_t out_tolerance_ppm = 0;
  int64_t version = 1;
  std::string opened_by;
  std::string opened_by_username;
  options::v1::Role opened_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time opened_at;    // as recorded
  absl::Time occurred_at;  // as told
  std::string completed_by;
  std::string completed_by_username;
  options::v1::Role completed_by_role = options::v1::ROLE_UNSPECIFIED;
  std::optional<absl::Time> completed_at;
  absl::Time changed_at;
  // Of its recipe and what hangs on it; only read.
  std::string recipe_number;
  std::string code;  // the blend's or the flavor's
  int64_t planned_grams = 0;
  // The batches whose bags went into it, into one of those, and so on, and what
  // the trader says of each; a flavor, whom nobody asks about, counts as
  // allowed.
  std::vector<std::string> part_ids;
  std::vector<std::string> part_trader_states;
  // Of the bags out of it: what is left in them, and the highest number; only
  // read. 0 where the batch was loaded as a source of bags: it takes a look at
  // all of them, and whoever takes from one bag has no use for it.
  int64_t remaining_grams = 0;
  int64_t last_bag_number = 0;

  Key key() const { return batch_id; }
  bool open() const { return state == v1::BATCH_STATE_OPEN; }
  // Whether its bags may be shipped as far as trader decisions go, on it and on
  // all that is in it.
  v1::Clearance Clearance() const;
  // What the trader says of itself; flavors need no word.
  v1::TraderState Judged() const;
  // A bag of another batch goes into this one.
  void TakeIn(const Batch& part);
  bool Contains(const Batch& part) const;
  // The trader said something new of a blend that may be in it.
  void HearOf(const Batch& blend);
  // The most that may have come out, given what went in.
  int64_t OutLimitGrams() const;
  // `BB12/3`: its code and number, as people call it.
  std::string Name() const;
  v1::Batch Shown() const;

  static const db::Statement kLock;  // FOR NO KEY UPDATE
  static const db::Statement kLoad;
  // The batches of bags, by barcode: FOR SHARE, or to change their totals FOR
  // NO KEY UPDATE.
  static const db::Statement kLockSources;
  static const db::Statement kLockSourcesToChange;
  static const db::Statement kLoadSources;
  static const db::Statement kInsert;
  static const db::Statement kUpdate;
  static constexpr auto kLoaded = std::tuple(
      &Batch::batch_id, &Batch::kind, &Batch::recipe_id, &Batch::revision,
      &Batch::batch_number, &Batch::state, &Batch::trader_state,
      &Batch::trader_changed_at, &Batch::in_grams, &Batch::opening_grams,
      &Batch::out_grams, &Batch::out_bags, &Batch::out_tolerance_ppm,
      &Batch::version, &Batch::opened_by, &Batch::opened_by_username,
      &Batch::opened_by_role, &Batch::opened_at, &Batch::occurred_at,
      &Batch::completed_by, &Batch::completed_by_username,
      &Batch::completed_by_role, &Batch::completed_at, &Batch::changed_at,
      &Batch::recipe_number, &Batch::code, &Batch::planned_grams,
      &Batch::part_ids, &Batch::part_trader_states, &Batch::remaining_grams,
      &Batch::last_bag_number);
  static constexpr auto kInserted =
      std::tuple(&Batch::batch_id, &Batch::kind, &Batch::recipe_id,
                 &Batch::revision, &Batch::batch_number, &Batch::in_grams,
                 &Batch::opening_grams, &Batch::out_grams, &Batch::out_bags,
                 &Batch::out_tolerance_ppm, &Batch::version, &Batch::opened_by,
                 &Batch::opened_by_username, &Batch::opened_by_role,
                 &Batch::opened_at, &Batch::occurred_at, &Batch::changed_at);
  static constexpr auto kUpdated = std::tuple(
      &Batch::batch_id, &Batch::state, &Batch::trader_state,
      &Batch::trader_changed_at, &Batch::in_grams, &Batch::opening_grams,
      &Batch::out_grams, &Batch::out_bags, &Batch::version,
      &Batch::completed_by, &Batch::completed_by_username,
      &Batch::completed_by_role, &Batch::completed_at, &Batch::changed_at);
};

// Whether something of a batch left the site, by itself or in a flavor. Read
// when the batch is locked.
struct BatchDeparture {
  using Key = Uuid;

  Uuid batch_id;
  bool dispatched = false;

  Key key() const { return batch_id; }
  static const db::Statement kLoad;
  // Of the batches that allocations went into, by allocation_id.
  static const db::Statement kLoadOfTargets;
  static constexpr auto kLoaded =
      std::tuple(&BatchDeparture::batch_id, &BatchDeparture::dispatched);
};

// Humidity and density of a batch, once measured.
struct Measurement {
  Uuid batch_id;
  Uuid measurement_id;
  int64_t humidity_basis_points = 0;
  int64_t density_grams_per_cubic_metre = 0;
  std::string remarks;
  std::string measured_by;
  std::string measured_by_username;
  options::v1::Role measured_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  v1::Measurement Shown() const;

  static const db::Statement kInsert;
  static constexpr auto kInserted = std::tuple(
      &Measurement::batch_id, &Measurement::measurement_id,
      &Measurement::humidity_basis_points,
      &Measurement::density_grams_per_cubic_metre, &Measurement::remarks,
      &Measurement::measured_by, &Measurement::measured_by_username,
      &Measurement::measured_by_role, &Measurement::occurred_at,
      &Measurement::recorded_at, &Measurement::correlation_id);
};

// A change of a batch's trader state.
struct TraderDecision {
  Uuid batch_id;
  Uuid decision_id;
  v1::TraderState from_state = v1::TRADER_STATE_UNSPECIFIED;
  v1::TraderState to_state = v1::TRADER_STATE_UNSPECIFIED;
  std::string remarks;
  std::string decided_by;
  std::string decided_by_username;
  options::v1::Role decided_by_role = options::v1::ROLE_UNSPECIFIED;
  absl::Time occurred_at;
  absl::Time recorded_at;
  std::string correlation_id;

  v1::TraderDecision Shown() const;

  static const db::Statement kInsert;
  static constexpr auto kInserted =
      std::tuple(&TraderDecision::batch_id, &TraderDecision::decision_id,
                 &TraderDecision::from_state, &TraderDecision::to_state,
                 &TraderDecision::remarks, &TraderDecision::decided_by,
                 &TraderDecision::decided_by_username,
                 &TraderDecision::decided_by_role, &TraderDecision::occurred_at,
                 &TraderDecision::recorded_at, &TraderDecision::correlation_id);
};

// The columns of Batch::kLoaded: "SELECT …", then either what all the bags of
// the batch say or, for sources, nothing of it; and what they come from besides
// `batch`: "JOIN …".
extern const std::string_view kBatchColumns;
extern const std::string_view kOfItsBags;
extern const std::string_view kNothingOfItsBags;
extern const std::string_view kBatchTables;

}  // namespace mtp::processing
