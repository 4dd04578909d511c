"""The accounting identities of the agent, exact to the last event.

Every request that the kernel side saw is accounted for: counted, or lost for a reason that has a
counter. Asserted after every test.
"""
from support.waiting import eventually

KERNEL = "exemplar_agent_kernel_"


def imbalances(page):
    """What does not add up on this page: a list of sentences."""
    def kernel(group, **labels):
        return page.sum(f"{KERNEL}{group}_total", **labels)

    def own(name, **labels):
        return page.sum(f"exemplar_agent_{name}_total", **labels)

    found = []

    def equal(left_name, left, right_name, right):
        if left != right:
            found.append(f"{left_name} {left} != {right_name} {right}")

    equal("kernel hits", kernel("hits"), "filtered + emitted + dropped chunks",
          kernel("filtered") + kernel("emitted", reason="chunk") + kernel("dropped"))
    equal("TLS hits", kernel("tls_hits"), "filtered + emitted + dropped TLS chunks",
          kernel("tls_filtered") + kernel("emitted", reason="tls_chunk") + kernel("tls_dropped"))
    equal("chunks emitted", kernel("emitted", reason="chunk") + kernel("emitted", reason="tls_chunk"),
          "chunks consumed", own("chunks_consumed"))
    equal("records emitted", kernel("emitted"), "records consumed", own("records_consumed"))
    equal("chunks consumed", own("chunks_consumed"), "sum of their classes", own("chunks"))
    equal("exchanges", own("exchanges"), "recorded + filtered",
          own("exchanges_recorded") + own("exchanges_filtered"))
    http = {role: page.sum(f"http_{role}_request_duration_seconds_count") +
            own("exchanges_retired", reason=role) for role in ("server", "client")}
    counted = {role: http[role] + page.sum(f"rpc_{role}_call_duration_seconds_count")
               for role in ("server", "client")}
    equal("exchanges recorded", own("exchanges_recorded"),
          "sum of histogram counts + exchanges in series dropped since", sum(counted.values()))
    equal("server exchanges", counted["server"], "queue times + unknown and dropped ones",
          page.sum("exemplar_agent_http_server_queue_duration_seconds_count") +
          page.sum("exemplar_agent_rpc_server_queue_duration_seconds_count") + own("queue_time"))
    for message in ("request", "response"):  # an optional metric: nothing at all where it is off
        sizes = page.sum(f"http_server_{message}_body_size_bytes_count") + own(f"{message}_body_size")
        if sizes:
            equal("server exchanges", http["server"], f"sizes of {message} bodies + unknown ones", sizes)
    equal("overflow", own("series", reason="overflow"), "sum of its reasons",
          own("series_overflow"))
    equal("exemplars chosen", own("exemplars", reason="chosen"), "with ids + without",
          own("exemplars", reason="with_ids") + own("exemplars", reason="without_ids"))
    equal("malformed records", own("records_dropped"), "none", 0)
    return found


def span_imbalances(page, queued=0):
    """Every span handed to a span exporter has one fate. Where there is an exporter only."""
    def export(name):
        return page.sum(f"exemplar_agent_export_{name}_total")

    found = []
    chosen, handed = page.sum("exemplar_agent_spans_chosen_total"), export("spans_queued")
    if chosen != handed:
        found.append(f"spans chosen {chosen} != spans handed to exporters {handed}")
    ended = export("spans_sent") + export("spans_rejected") + export("spans_dropped")
    if handed != ended + queued:
        found.append(f"spans handed over {handed} != sent + rejected + dropped {ended}")
    return found


def assert_identities(agent, within=10.0, spans=False):
    """Waits until nothing is on its way any more; then every identity must hold. A page is not one
    instant, so a page taken while the host is busy may be off by what happened meanwhile. A page
    shows the last window that closed: the one of now is waited for."""
    agent.wait_for_windows(1)

    def balanced():
        page = agent.scrape()
        found = imbalances(page) + (span_imbalances(page) if spans else [])
        assert not found, "; ".join(found)
        return page
    return eventually(balanced, within=within)
