"""What happens to a cluster, under load: no request fails, no request is given to the wrong pod."""
import json

import pytest

from support.cluster import NODE, seconds_until
from support.waiting import eventually

SERVER = 2


@pytest.fixture(autouse=True)
def telling(agent, settings):
    return agent.upgrade(*settings)


def named_wrongly(spans, answered):
    return [(span["trace_id"], span["resource"].get("k8s.pod.name"), answered[span["trace_id"]])
            for span in spans if span["trace_id"] in answered and
            span["resource"].get("k8s.pod.name") != answered[span["trace_id"]]]


def server_spans(sink, requests):
    return [span for span in sink.spans(requests.prefix) if span["kind"] == SERVER]


def spans_of_all(sink, requests):
    """One server span of each answered request."""
    answered = requests.answered_by()
    return eventually(lambda: (spans := server_spans(sink, requests)) and
                      {span["trace_id"] for span in spans} >= set(answered) and spans,
                      within=30, what=f"a span of each of {len(answered)} requests")


def test_roll_out_under_load(cluster, sink, load):
    # given requests to the application, when all of its pods are replaced
    before = {pod["metadata"]["name"] for pod in cluster.pods("shop", app="shop")}
    with load(cluster.service("shop")) as requests:
        cluster.kubectl("rollout", "restart", "deployment/shop", "-n", "shop")
        cluster.kubectl("rollout", "status", "deployment/shop", "-n", "shop", "--timeout=90s")
        eventually(lambda: {pod["metadata"]["name"] for pod in cluster.pods("shop", app="shop")}
                   .isdisjoint(before), within=60, what="the end of the old pods")
        requests.wait_for(40)

    # then each was named as the pod that answered, the old ones as the old, the new as the new
    answered = requests.answered_by()
    spans = spans_of_all(sink, requests)
    assert set(answered.values()) > before
    assert named_wrongly(spans, answered) == []


def test_agent_deleted_under_load(cluster, agent, sink, load):
    # given requests, when the agent's pod is deleted
    old = agent.pod()["metadata"]["name"]
    with load(cluster.service("shop"), rate=40) as requests:
        cluster.kubectl("delete", "pod", old, "-n", agent.namespace, "--wait=false")
        took = seconds_until(lambda: [pod for pod in cluster.pods(agent.namespace, **{
            "app.kubernetes.io/instance": agent.name}) if pod["metadata"]["name"] != old and
            pod["status"]["containerStatuses"][0]["ready"]], within=45, what="the new agent")
        told = len(server_spans(sink, requests))
        eventually(lambda: len(server_spans(sink, requests)) > told + 40, within=30,
                   what="spans of the new agent")

    # then no request failed, the next agent was there within seconds, and names are right
    assert requests.failures() == []
    assert took < 30, took
    assert named_wrongly(server_spans(sink, requests), requests.answered_by()) == []


def test_api_server_stopped_and_started(cluster, agent, sink, load):
    # given a working agent
    url, page_before = cluster.service("shop"), agent.page()
    pod = agent.pod()
    try:
        # when the API server ends
        cluster.call("stop", "kube-apiserver")
        eventually(lambda: agent.page(pod).sum("exemplar_agent_kubernetes_failures_total",
                                               reason="unreachable") > 0,
                   within=60, what="a failure counted")
        with load(url) as requests:
            requests.wait_for(40)
        # then it goes on under the names it knows
        assert requests.failures() == []
        assert named_wrongly(spans_of_all(sink, requests), requests.answered_by()) == []
    finally:
        cluster.call("start", "kube-apiserver")
    eventually(lambda: cluster.kubectl("get", "--raw", "/readyz", check=False) == "ok", within=60,
               what="the API server")

    # and when it is back, so are the names of pods that did not exist before
    cluster.kubectl("rollout", "restart", "deployment/shop", "-n", "shop", within=60)
    cluster.kubectl("rollout", "status", "deployment/shop", "-n", "shop", "--timeout=90s")
    eventually(lambda: agent.page(pod).sum("exemplar_agent_kubernetes_source",
                                           state="following") == 1,
               within=90, what="the pods followed again")
    with load(url) as requests:
        requests.wait_for(40)
    answered = requests.answered_by()
    assert named_wrongly(spans_of_all(sink, requests), answered) == []
    assert agent.pod()["metadata"]["name"] == pod["metadata"]["name"]
    assert agent.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    assert page_before.sum("exemplar_agent_kubernetes_failures_total", reason="unreachable") == 0


def test_wrong_rights(cluster, agent, settings, sink, load):
    # given no right to read pods; a watch that had it before would go on until its end
    old = agent.upgrade(*settings, "--set", "rbac.create=false")
    cluster.kubectl("delete", "pod", old["metadata"]["name"], "-n", agent.namespace)
    pod = agent.pod()
    try:
        # when an agent starts, then it says so, counts it and works on without the names
        eventually(lambda: agent.page(pod).sum("exemplar_agent_kubernetes_failures_total",
                                               reason="forbidden") > 0,
                   within=30, what="a refusal counted")
        lines = [json.loads(line)["text"] for line in agent.log().splitlines()]
        refused = [line for line in lines if "pods" in line and ("403" in line or
                                                                 "forbidden" in line)]
        assert refused and len(refused) <= 2, lines
        with load(cluster.service("shop")) as requests:
            requests.wait_for(20)
        spans = spans_of_all(sink, requests)
        assert all("k8s.pod.name" not in span["resource"] for span in spans)
        assert agent.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    finally:
        # and with the right given back, without a restart, the names come
        cluster.helm("upgrade", agent.name, "helm/exemplar-agent", "-n", agent.namespace,
                     "--reset-values", *settings)
    eventually(lambda: agent.page(pod).sum("exemplar_agent_kubernetes_source",
                                           state="following") == 1,
               within=120, what="the pods followed")
    assert agent.pod()["metadata"]["name"] == pod["metadata"]["name"]


def test_pods_from_the_kubelet(cluster, agent, settings, sink, load):
    # given the node's own kubelet as the source, with a right to its pods and to nothing else
    agent.upgrade(*settings, "--set", "kubernetes.source=kubelet",
                  "--set", "kubernetes.kubelet.insecure=true")
    role = json.loads(cluster.kubectl("get", "clusterrole", agent.name, "-o", "json"))
    assert role["rules"] == [{"apiGroups": [""], "resources": ["nodes/pods"], "verbs": ["get"]}]
    eventually(lambda: agent.page().sum("exemplar_agent_kubernetes_source",
                                        state="following") == 1,
               within=60, what="the kubelet's pods")

    # when all pods of the application are new
    cluster.kubectl("rollout", "restart", "deployment/shop", "-n", "shop")
    cluster.kubectl("rollout", "status", "deployment/shop", "-n", "shop", "--timeout=90s")
    with load(cluster.service("shop")) as requests:
        requests.wait_for(40)

    # then they are named all the same
    assert named_wrongly(spans_of_all(sink, requests), requests.answered_by()) == []


def rejected_pods(number):
    """Pods that are this node's in the API, and that its kubelet refuses to start: no label of the
    node fits them."""
    return json.dumps({"apiVersion": "v1", "kind": "List", "items": [
        {"apiVersion": "v1", "kind": "Pod",
         "metadata": {"name": f"crowd-{index}", "namespace": "crowd",
                      "labels": {f"label-{one}": "x" * 60 for one in range(20)},
                      "annotations": {"note": "y" * 2000}},
         "spec": {"nodeName": NODE, "nodeSelector": {"no": "such-node"},
                  "containers": [{"name": "none", "image": "none:1"}]}}
        for index in range(number)]})


@pytest.mark.timeout(900)
def test_memory_with_500_pods_on_the_node(cluster, agent, sink, load, telling):
    # given 500 pods more
    cluster.kubectl("create", "namespace", "crowd")
    try:
        cluster.kubectl("create", "-f", "-", stdin=rejected_pods(500), within=300)
        eventually(lambda: agent.page(telling).sum("exemplar_agent_kubernetes_pods") >= 500,
                   within=120, what="500 pods known")
        # when requests come besides
        with load(cluster.service("shop"), rate=40) as requests:
            requests.wait_for(100)
        spans_of_all(sink, requests)

        # then the memory of the whole pod stays under the limit that the chart gives it
        limit = telling["spec"]["containers"][0]["resources"]["limits"]["memory"]
        assert limit.endswith("Mi")
        used = resident_bytes(cluster.pids_in(agent.pod()))
        print(f"memory with 500 pods: {used / 2**20:.1f} MiB of {limit}")
        assert used < int(limit[:-2]) * 2**20 / 2, used
        assert agent.pod()["status"]["containerStatuses"][0]["restartCount"] == 0
    finally:
        cluster.kubectl("delete", "namespace", "crowd", within=300)


def resident_bytes(pids):
    total = 0
    for pid in pids:
        with open(f"/proc/{pid}/status", encoding="ascii") as lines:
            total += sum(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS"))
    return total
