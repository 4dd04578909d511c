"""Who answered is told by the answer itself; every span and exemplar of that request must say the
same: pod, namespace, workload, node and service.name."""
import pytest

from support.cluster import NODE
from support.waiting import eventually

SERVER, CLIENT = 2, 3
DURATION = "http.server.request.duration"

# name: (how to reach it, what its resource must say besides pod, namespace and node)
WORKLOADS = {
    "shop": ("service", {"service.name": "shop", "k8s.deployment.name": "shop",
                         "k8s.container.name": "application", "service.version": "1",
                         "service.namespace": "shop"}),
    "store": ("pod", {"service.name": "store", "k8s.statefulset.name": "store",
                      "k8s.pod.name": "store-0"}),
    "report": ("pod", {"service.name": "report", "k8s.job.name": "report"}),
    "annotated": ("pod", {"service.name": "billing", "service.namespace": "money",
                          "service.version": "7.2", "team": "cashiers"}),
    "on-host": ("host", {"service.name": "on-host"}),
    "secure": ("tls", {"service.name": "secure"}),
}


@pytest.fixture(scope="module")
def telling(agent, settings):
    """The release after an upgrade with changed values: it tells of every request, within a second."""
    before = agent.pod()["metadata"]["name"]
    pod = agent.upgrade(*settings)
    assert pod["metadata"]["name"] != before, "a changed configuration is a changed pod"
    return pod


def url_of(cluster, name, way):
    if way == "service":
        return cluster.service(name)
    address = cluster.pods("shop", app=name)[0]["status"]["podIP"]
    return {"pod": f"http://{address}:8080", "host": f"http://{address}:18080",
            "tls": f"https://{address}:8443"}[way]


def assert_resource(resource, pod, wanted):
    about = {"k8s.pod.name": pod, "k8s.namespace.name": "shop", "k8s.node.name": NODE,
             "host.name": NODE, **wanted}
    assert {key: resource.get(key) for key in about} == about, resource


@pytest.mark.parametrize("name", WORKLOADS)
def test_every_span_and_exemplar_names_who_answered(cluster, telling, sink, load, name):
    # given requests to one kind of workload
    way, wanted = WORKLOADS[name]
    with load(url_of(cluster, name, way)) as requests:
        requests.wait_for(60)
    assert requests.failures() == []
    answered = requests.answered_by()
    assert len(set(answered.values())) == (2 if name == "shop" else 1)

    # when the agent has told of every one
    def told():
        spans = [span for span in sink.spans(requests.prefix) if span["kind"] == SERVER]
        return spans if {span["trace_id"] for span in spans} == set(answered) else None
    spans = eventually(told, within=20, what=f"a span of each of {len(answered)} requests")

    # then each span, and each exemplar, says who it was
    assert len(spans) == len(answered)
    for span in spans:
        assert_resource(span["resource"], answered[span["trace_id"]], wanted)
    exemplars = [(resource, one) for resource, one in sink.exemplars(DURATION)
                 if one["trace_id"].startswith(requests.prefix)]
    assert exemplars
    for resource, one in exemplars:
        assert_resource(resource, answered[one["trace_id"]], wanted)


def test_front_and_application_are_told_apart(cluster, telling, sink, load):
    # given requests that nginx passes on to the application
    with load(cluster.service("front")) as requests:
        requests.wait_for(60)
    assert requests.failures() == []
    fronts = {one["trace_id"]: one["front"] for one in requests.results()}
    backs = requests.answered_by()

    # when three ends of each have been told
    def told():
        spans = [span for span in sink.spans(requests.prefix)
                 if span["resource"].get("k8s.namespace.name") == "shop"]
        return spans if len(spans) >= 3 * len(backs) else None
    spans = eventually(told, within=20, what="three spans of each request")

    # then both spans of nginx carry its pod, the third that of the application which answered
    assert len(spans) == 3 * len(backs)
    for span in spans:
        service = span["resource"]["service.name"]
        assert service in ("front", "shop")
        if service == "front":
            assert_resource(span["resource"], fronts[span["trace_id"]],
                            {"k8s.deployment.name": "front", "k8s.container.name": "nginx"})
        else:
            assert span["kind"] == SERVER
            assert_resource(span["resource"], backs[span["trace_id"]],
                            {"k8s.deployment.name": "shop"})
    assert sum(span["kind"] == CLIENT for span in spans) == len(backs)


def test_helm_test_finds_its_exemplar(cluster, agent, telling):
    said = cluster.helm("test", agent.name, "-n", agent.namespace, within=180)
    assert "Succeeded" in said, said


def test_processes_of_the_node_keep_their_names(agent, telling):
    """host.name is the node's, though the agent's own pod has another."""
    hosts = {sample.labels["host_name"] for sample in agent.page(telling).find("target_info")}
    assert hosts == {NODE}
