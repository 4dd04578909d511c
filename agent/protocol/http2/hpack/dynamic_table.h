// The dynamic table of RFC 7541 section 2.3.2 as an onlooker knows it: exactly, if it saw the
// connection from its start; otherwise the entries inserted since, of which each has its right
// index, because indices count back from the newest one.
//
// Two things may be unknown. Entries older than what is held: after a join or a loss, or because
// the peers agreed on a larger table than is held here. And the size at which the encoder evicts:
// after a join or a loss, until it tells a new one. What an encoder has evicted it does not refer
// to, nor to what is older than an entry that was too large to be added. So while the size is
// unknown nothing is evicted and everything is added: that can make an index valid which is not,
// never one text another.
//
// Pure, one thread, no allocation.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace exa::hpack {

inline constexpr std::uint32_t kEntryOverheadBytes = 32;   // RFC 7541 section 4.1
inline constexpr std::uint32_t kInitialTableBytes = 4096;  // RFC 9113 section 6.5.2
inline constexpr std::size_t kMaxStringBytes = 4096;       // what is longer is not held

enum class Knowledge : std::uint8_t {
  kText,
  kTooLong,  // only its length is known
  kUnknown,  // nothing is: it is the name of an entry that is not held
};

// A name or a value.
struct Piece {
  Knowledge knowledge = Knowledge::kText;
  std::string_view text;
  std::uint64_t length_bytes = 0;  // at least so long
  std::int64_t entry = 0;          // kUnknown: whose name it is
};

// A name and a value as the table holds them: where their text begins, and of each how long it is
// and, in the bits above, its Knowledge; none for a text.
struct Entry {
  std::uint16_t position;
  std::uint16_t name;
  std::uint16_t value;
};

inline constexpr unsigned kKnowledgeShift = 14;
inline constexpr std::uint16_t kMaxPartBytes = (1 << kKnowledgeShift) - 1;
static_assert(kMaxStringBytes <= kMaxPartBytes && static_cast<unsigned>(Knowledge::kText) == 0);

// Text and entries of a table that holds no more than the encoder's would in so many bytes. What is
// held moves once in as many bytes of insertions as there are free: spare ones bound how often.
template <std::size_t TableBytes, std::size_t SpareBytes>
struct TableRoom {
  static constexpr std::size_t kTextBytes = TableBytes;
  static constexpr std::size_t kEntries = TableBytes / kEntryOverheadBytes;
  std::array<char, TableBytes + SpareBytes> text;
  std::array<Entry, kEntries> entries;
};
using SmallTableRoom = TableRoom<kInitialTableBytes, 0>;
using LargeTableRoom = TableRoom<16 * 1024, 2 * 1024>;

class DynamicTable {
 public:
  // Leaves the room as it is: an object may be taken up again at little cost.
  void start();  // empty, as at the start of a connection
  void join();   // in the middle of one; numbers restart too

  // From now on nothing is known of the entries. Their numbers are never used again.
  void lose();

  // Once: what is held moves. The room stays its owner's, and is used until the next start or join.
  void move_to(LargeTableRoom& room);
  [[nodiscard]] bool is_large() const { return large_ != nullptr; }

  // A dynamic table size update (section 6.3).
  void resize(std::uint32_t size_bytes);
  [[nodiscard]] bool knows_size() const { return size_known_; }
  [[nodiscard]] std::uint32_t size_bytes() const { return size_bytes_; }

  // Of an entry whose texts are both held, as nearly all that are asked for: back as below.
  [[nodiscard]] bool find_texts(std::uint64_t back, std::string_view& name,
                                std::string_view& value) const {
    if (back > held_) return false;
    const auto& held = entry(newest_ - static_cast<std::int64_t>(back) + 1);
    if ((held.name | held.value) > kMaxPartBytes) return false;
    name = {text_of(held), held.name};
    value = {name.data() + held.name, held.value};
    return true;
  }

  // back: 1 is the newest entry. Texts borrow from the table until it changes. The entry's number
  // goes to `unknown` if any of it is not known or, of an entry whose name was copied from one that
  // is not known, that one's number; else 0. False: there is no such entry.
  struct Found {
    Piece name;
    Piece value;
    std::int64_t unknown = 0;
  };
  [[nodiscard]] bool find(std::uint64_t back, Found& found) const;
  [[nodiscard]] bool find_name(std::uint64_t back, Found& found) const;

  // The pieces' texts must not be the table's own.
  void insert(Piece name, Piece value);

  // Entries are numbered as they are inserted; those before a join count back from 0.
  [[nodiscard]] std::int64_t newest() const { return newest_; }

  // Of the entries held, sizes as section 4.1 counts them, at least.
  [[nodiscard]] std::uint32_t entries() const { return held_; }
  [[nodiscard]] std::uint64_t held_bytes() const { return held_bytes_; }
  [[nodiscard]] bool may_have_older() const { return older_; }

 private:
  [[nodiscard]] char* text() { return large_ ? large_->text.data() : small_.text.data(); }
  [[nodiscard]] const char* text() const {
    return large_ ? large_->text.data() : small_.text.data();
  }
  [[nodiscard]] std::size_t room_bytes() const {
    return large_ ? large_->text.size() : small_.text.size();
  }
  [[nodiscard]] std::size_t max_text_bytes() const {
    return large_ ? LargeTableRoom::kTextBytes : SmallTableRoom::kTextBytes;
  }
  [[nodiscard]] std::size_t max_entries() const {
    return large_ ? LargeTableRoom::kEntries : SmallTableRoom::kEntries;
  }
  [[nodiscard]] const Entry& entry(std::int64_t number) const {
    const auto place = static_cast<std::size_t>(number);
    return large_ ? large_->entries[place % LargeTableRoom::kEntries]
                  : small_.entries[place % SmallTableRoom::kEntries];
  }
  [[nodiscard]] Entry& entry(std::int64_t number) {
    return const_cast<Entry&>(std::as_const(*this).entry(number));
  }
  [[nodiscard]] const char* text_of(const Entry& entry) const {
    return text() + static_cast<std::uint16_t>(entry.position - room_begin_);
  }
  [[nodiscard]] std::uint64_t size_of(const Entry& entry) const;

  [[nodiscard]] bool reaches_older(std::uint64_t back, Found& found) const;
  void forget_all();
  void evict_to(std::uint64_t bytes);
  void drop_oldest();
  void make_room(std::size_t needed_bytes);
  std::uint16_t append(const Piece& piece);

  std::int64_t newest_ = 0;       // number of the newest entry; the first one since the join is 1
  std::uint64_t held_bytes_ = 0;  // by section 4.1; of unknown names 0
  std::uint32_t size_bytes_ = 0;  // at which the encoder evicts
  std::uint32_t held_ = 0;        // entries: newest_ and those before it
  // Positions count all text that ever came, modulo 2^16.
  std::uint16_t room_begin_ = 0;  // of the room's first byte
  std::uint16_t text_begin_ = 0;  // of the oldest entry
  std::uint16_t text_end_ = 0;
  bool size_known_ = false;
  bool older_ = false;  // there may be entries before those that are held
  LargeTableRoom* large_ = nullptr;
  SmallTableRoom small_;
};

}  // namespace exa::hpack
