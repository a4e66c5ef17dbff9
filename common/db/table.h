#pragma once

#include <algorithm>
#include <concepts>
#include <functional>
#include <memory>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "common/db/params.h"
#include "common/db/working_set.h"

namespace mtp::db {

// A row type of a table that a working set loads. It says
//   using Key = …;  Key key() const;         Uuid, int64_t, std::string, or a
//                                            struct with `auto Columns() const`
//                                            (a tuple), ordered and hashable
//   static constexpr Statement kLoad;        $1… arrays of the key's columns;
//                                            rows ordered by key, FOR UPDATE
//   static constexpr auto kLoaded;           std::tuple of member pointers, in
//                                            the order kLoad selects
// and, where rows are made or changed,
//   static constexpr Statement kInsert;      $1… arrays, a row per element
//   static constexpr auto kInserted;         their members
//   static constexpr Statement kUpdate;
//   static constexpr auto kUpdated;
// and, where rows are removed,
//   static constexpr Statement kDelete;      $1… arrays of the key's columns
template <typename T>
concept TableRow = requires(const T& row) {
  typename T::Key;
  { row.key() } -> std::convertible_to<typename T::Key>;
  { T::kLoad } -> std::convertible_to<Statement>;
  T::kLoaded;
};

// A row of a statement that selects what T::kLoaded names, as kLoad does.
template <typename T>
T Read(const Row& row) {
  T read;
  std::apply([&](auto... member) { row.Into(read.*member...); }, T::kLoaded);
  return read;
}

template <typename Key>
auto KeyColumns(const Key& key) {
  if constexpr (requires { key.Columns(); }) {
    return key.Columns();
  } else {
    return std::tuple<Key>(key);
  }
}

// Binds one array per column of the keys.
template <typename Key>
void BindKeys(const std::vector<Key>& keys, Params& params) {
  using Columns = decltype(KeyColumns(std::declval<const Key&>()));
  [&]<size_t... I>(std::index_sequence<I...>) {
    (params.Array(keys,
                  [](const Key& key) { return std::get<I>(KeyColumns(key)); }),
     ...);
  }
  (std::make_index_sequence<std::tuple_size_v<Columns>>());
}
template <typename Key>
Params BindKeys(const std::vector<Key>& keys) {
  Params params;
  BindKeys(keys, params);
  return params;
}

// Sorted, each key once: rows are locked in the order of their keys.
template <typename Key>
void SortUnique(std::vector<Key>& keys) {
  std::sort(keys.begin(), keys.end());
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
}

// Something other than their key that rows of a table are found by.
class Finder {
 public:
  virtual ~Finder() = default;
  virtual bool AnyWanted() const = 0;
  virtual void Bind(Params& params) = 0;
};

// The rows of one table within a working set. Before the load, calls say which
// rows they touch (Want); afterwards decisions find, edit, insert and remove
// them, and see what the calls before them in the batch did.
template <TableRow T>
class Table : public Member {
 public:
  using Key = typename T::Key;

  explicit Table(WorkingSet& set) : Member(set) {}

  void Want(const Key& key) { wanted_.push_back(key); }

  // The row, or nullptr when there is none. Stays valid until the batch ends.
  const T* Find(const Key& key) const {
    const auto found = entries_.find(key);
    return found == entries_.end() || !found->second->exists
               ? nullptr
               : &found->second->row;
  }

  // A row that was found, to be changed: stored at the end of the batch,
  // restored when the call is refused after all.
  T& Edit(const T& row) {
    Entry& entry = *entries_.at(row.key());
    WillChange(entry);
    entry.changed = true;
    return entry.row;
  }

  // A new row. Its key must be new, too.
  T& Insert(T row) {
    auto& slot = entries_[row.key()];
    if (slot == nullptr) slot = std::make_unique<Entry>();
    WillChange(*slot);
    slot->row = std::move(row);
    slot->exists = true;
    return slot->row;
  }

  // A row that was found is not there any more: no later decision of the batch
  // finds it, and at its end it is deleted, or, if the batch made it, never
  // written. There again when the call is refused after all.
  void Remove(const T& row) requires requires { T::kDelete; }
  {
    Entry& entry = *entries_.at(row.key());
    WillChange(entry);
    entry.exists = false;
  }

  // A row as if it had been loaded, for tests of decisions.
  void Put(T row) {
    auto& slot = entries_[row.key()];
    slot = std::make_unique<Entry>();
    slot->row = std::move(row);
    slot->stored = true;
    slot->exists = true;
  }

  // Every row loaded or inserted, ordered by key.
  std::vector<const T*> All() const {
    std::vector<const T*> rows;
    for (const auto& [key, entry] : entries_) {
      if (entry->exists) rows.push_back(&entry->row);
    }
    std::sort(rows.begin(), rows.end(),
              [](const T* a, const T* b) { return a->key() < b->key(); });
    return rows;
  }

  void AddLoads(Exchange& exchange) override {
    if (AnyWanted()) exchange.Add(T::kLoad, BindWanted());
  }

  void TakeLoads(const Results& results, size_t& next) override {
    if (AnyWanted()) Take(results[next++]);
  }

  // From now on the table's statements take the finder's columns, too, behind
  // those that they take already.
  void AlsoBy(Finder& finder) { finders_.push_back(&finder); }

  // Rows that came another way (Lookup) with the columns of kLoad.
  void Take(const Result& result) {
    for (const Row row : result) {
      T loaded = Read<T>(row);
      auto& slot = entries_[loaded.key()];
      if (slot != nullptr) continue;
      slot = std::make_unique<Entry>();
      slot->row = std::move(loaded);
      slot->stored = true;
      slot->exists = true;
    }
  }

  void AddRemovals(Exchange& exchange) override {
    if constexpr (requires { T::kDelete; }) {
      std::vector<Key> removed;
      for (const Entry* entry : order_) {
        if (entry->stored && !entry->exists)
          removed.push_back(entry->row.key());
      }
      if (removed.empty()) return;
      SortUnique(removed);
      exchange.Add(T::kDelete, BindKeys(removed));
    }
  }

  void AddStores(Exchange& exchange) override {
    std::vector<const T*> inserted;
    std::vector<const T*> updated;
    for (const Entry* entry : order_) {
      if (!entry->exists) continue;
      if (!entry->stored) {
        inserted.push_back(&entry->row);
      } else if (entry->changed) {
        updated.push_back(&entry->row);
      }
    }
    if constexpr (requires { T::kInserted; }) {
      if (!inserted.empty())
        exchange.Add(T::kInsert, Bind(inserted, T::kInserted));
    }
    if constexpr (requires { T::kUpdated; }) {
      if (!updated.empty())
        exchange.Add(T::kUpdate, Bind(updated, T::kUpdated));
    }
  }

  void Keep() override { undo_.clear(); }

  void Undo() override {
    for (auto step = undo_.rbegin(); step != undo_.rend(); ++step) {
      step->entry->row = std::move(step->row);
      step->entry->exists = step->exists;
      step->entry->changed = step->changed;
    }
    undo_.clear();
  }

  void Clear() override {
    wanted_.clear();
    entries_.clear();
    order_.clear();
    undo_.clear();
  }

 protected:
  bool AnyWanted() const {
    return !wanted_.empty() ||
           std::any_of(finders_.begin(), finders_.end(),
                       [](const Finder* f) { return f->AnyWanted(); });
  }

  // What the table's statements take.
  Params BindWanted() {
    Params params;
    SortUnique(wanted_);
    BindKeys(wanted_, params);
    for (Finder* finder : finders_) finder->Bind(params);
    return params;
  }

 private:
  struct Entry {
    T row{};
    bool stored = false;  // the database had it when the batch began
    bool exists = false;  // after what was decided so far
    bool changed = false;
    bool listed = false;  // in order_
  };
  struct Step {
    Entry* entry;
    T row;
    bool exists;
    bool changed;
  };

  void WillChange(Entry& entry) {
    undo_.push_back({&entry, entry.row, entry.exists, entry.changed});
    if (!std::exchange(entry.listed, true)) order_.push_back(&entry);
  }

  template <typename Members>
  static Params Bind(const std::vector<const T*>& rows,
                     const Members& members) {
    Params params;
    std::apply([&](auto... member) { (params.Array(rows, member), ...); },
               members);
    return params;
  }

  std::vector<Key> wanted_;
  std::vector<Finder*> finders_;
  absl::flat_hash_map<Key, std::unique_ptr<Entry>> entries_;
  std::vector<Entry*> order_;  // what was changed, in the order it first was
  std::vector<Step> undo_;
};

// Finds rows of a table by something other than their key, in the table's own
// statements: so whatever a batch of calls reaches of a table, by whichever
// way, is locked at once and in one order. Declare it behind its table; the
// table's statements take arrays of its columns behind those of its keys and of
// the FoundBys before it.
template <TableRow T, typename By>
class FoundBy : public Member, private Finder {
 public:
  FoundBy(WorkingSet& set, Table<T>& table) : Member(set) {
    table.AlsoBy(*this);
  }

  void Want(const By& by) { wanted_.push_back(by); }

  void AddLoads(Exchange&) override {}
  void TakeLoads(const Results&, size_t&) override {}
  void AddStores(Exchange&) override {}
  void Keep() override {}
  void Undo() override {}
  void Clear() override { wanted_.clear(); }

 private:
  bool AnyWanted() const override { return !wanted_.empty(); }
  void Bind(Params& params) override {
    SortUnique(wanted_);
    BindKeys(wanted_, params);
  }

  std::vector<By> wanted_;
};

// Loads rows of a table by something other than their key: the batch of a bag,
// the allocations of a shipment. Declare it behind its table. The statement
// takes arrays of the other key's columns and selects what the table's kLoad
// selects, in the order of the table's key. If it locks, then behind what the
// table's own statements locked: right where the rows are locked in another way
// than those, or where a lock before them stands for them; else see FoundBy.
template <TableRow T, typename By>
class Lookup : public Member {
 public:
  Lookup(WorkingSet& set, Table<T>& table, Statement statement)
      : Member(set), table_(table), statement_(statement) {}

  void Want(const By& by) { wanted_.push_back(by); }

  void AddLoads(Exchange& exchange) override {
    if (wanted_.empty()) return;
    SortUnique(wanted_);
    exchange.Add(statement_, BindKeys(wanted_));
  }
  void TakeLoads(const Results& results, size_t& next) override {
    if (!wanted_.empty()) table_.Take(results[next++]);
  }
  void AddStores(Exchange&) override {}
  void Keep() override {}
  void Undo() override {}
  void Clear() override { wanted_.clear(); }

 private:
  Table<T>& table_;
  Statement statement_;
  std::vector<By> wanted_;
};

// A table to which rows are only ever added and from which no decision reads:
// moves, releases, events. The row type has kInsert and kInserted as TableRow
// has them, and no key.
template <typename T>
class Log : public Member {
 public:
  explicit Log(WorkingSet& set) : Member(set) {}

  void Append(T row) { rows_.push_back(std::move(row)); }
  // What was appended in this batch, in order.
  const std::vector<T>& appended() const { return rows_; }

  void AddLoads(Exchange&) override {}
  void TakeLoads(const Results&, size_t&) override {}
  void AddStores(Exchange& exchange) override {
    if (rows_.empty()) return;
    Params params;
    std::apply([&](auto... member) { (params.Array(rows_, member), ...); },
               T::kInserted);
    exchange.Add(T::kInsert, std::move(params));
  }
  void Keep() override { kept_ = rows_.size(); }
  void Undo() override {
    rows_.erase(rows_.begin() + static_cast<std::ptrdiff_t>(kept_),
                rows_.end());
  }
  void Clear() override {
    rows_.clear();
    kept_ = 0;
  }

 private:
  std::vector<T> rows_;
  size_t kept_ = 0;
};

// Codes from a sequence. Codes that a refused call had taken are lost: codes
// identify, they do not count.
class Sequence : public Member {
 public:
  // `statement` takes how many ($1 bigint) and returns as many codes.
  Sequence(WorkingSet& set, Statement statement)
      : Member(set), statement_(statement) {}

  void Want(int64_t count = 1) { wanted_ += count; }
  // The next code; at most as many as were wanted.
  int64_t Take() { return codes_.at(taken_++); }

  void AddLoads(Exchange& exchange) override {
    if (wanted_ > 0) exchange.Add(statement_, Params().Add(wanted_));
  }
  void TakeLoads(const Results& results, size_t& next) override {
    if (wanted_ == 0) return;
    for (const Row row : results[next]) codes_.push_back(row.Get<int64_t>(0));
    ++next;
  }
  void AddStores(Exchange&) override {}
  void Keep() override {}
  void Undo() override {}
  void Clear() override {
    wanted_ = 0;
    taken_ = 0;
    codes_.clear();
  }

 private:
  Statement statement_;
  int64_t wanted_ = 0;
  size_t taken_ = 0;
  std::vector<int64_t> codes_;
};

}  // namespace mtp::db
