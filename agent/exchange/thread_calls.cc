#include "agent/exchange/thread_calls.h"

namespace exa {

ThreadCalls::Process& ThreadCalls::process(std::uint32_t tgid) {
  auto& place = processes_[tgid % kPlaces];
  if (place.tgid != tgid) place = {.tgid = tgid};
  return place;
}

ThreadCalls::Followed ThreadCalls::begin_served(std::uint32_t tgid, std::uint32_t thread,
                                                std::uint32_t slot, bool waits_itself) {
  if (thread == 0) {
    refute(tgid);  // it may be any of its threads
    return Followed::kNot;
  }
  if (!waits_itself) process(tgid).must_be_seen = true;
  auto& place = place_of(thread);
  if (place.number != thread) {
    if (!place.idle()) {
      ++without_place_;
      return Followed::kWithoutPlace;
    }
    place = {.number = thread, .tgid = tgid};
  }
  if (place.serves > 0) refute(tgid);
  place.slot = place.serves == 0 ? slot : kNoSlot;
  ++place.serves;
  place.may_go_on = false;
  return Followed::kInThread;
}

void ThreadCalls::end_served(const End& end) {
  if (end.followed == Followed::kWithoutPlace) --without_place_;
  if (end.followed != Followed::kInThread) return;
  auto& place = place_of(end.begun_in);
  --place.serves;
  if (!end.complete) {
    place.may_go_on = true;
    return;
  }
  const bool by_another = end.ended_in != 0 && end.ended_in != end.begun_in;
  auto& process = this->process(end.tgid);
  if (by_another || place.calls > 0)
    process.refuted = true;
  else if (end.ended_in != 0 && process.proofs < kProof)
    ++process.proofs;
}

ThreadCalls::Call ThreadCalls::begin_call(std::uint32_t tgid, std::uint32_t thread) {
  auto& place = place_of(thread);
  if (thread == 0 || place.number != thread) return {};
  if (place.serves == 0) {
    if (!place.may_go_on) refute(tgid);
    return {};
  }
  if (place.calls > 0) refute(tgid);  // one that waits for an answer cannot send
  ++place.calls;
  const auto& process = this->process(tgid);
  const bool proven = process.proven() && without_place_ == 0;
  return {.followed = Followed::kInThread,
          .served = proven ? place.slot : kNoSlot,
          .alone = process.waits_for_one()};
}

void ThreadCalls::end_call(const End& end) {
  if (end.followed != Followed::kInThread) return;
  --place_of(end.begun_in).calls;
  if (end.ended_in != 0 && end.ended_in != end.begun_in) refute(end.tgid);
}

void ThreadCalls::was_seen(std::uint32_t thread, ThreadDoing doing) {
  const auto& place = place_of(thread);
  if (place.number != thread || place.serves == 0) return;
  auto& process = this->process(place.tgid);
  if (doing == ThreadDoing::kEpoll) process.refuted = true;
  // The loop of one listener polls nothing else while nothing is sent.
  const bool for_one =
      doing == ThreadDoing::kNetwork || (doing == ThreadDoing::kPollOne && place.calls == 1);
  if (for_one && process.seen < kSeen) ++process.seen;
}

}  // namespace exa
