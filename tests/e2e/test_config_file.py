"""OpenTelemetry's declarative configuration instead of OTEL_* variables."""
import os
import signal

from support.load import curl
from support.otlp_backend import OtlpBackend, attributes
from support.report import SERVER
from support.waiting import eventually

DOCUMENT = """\
file_format: "1.0"
resource:
  attributes: [{{name: deployment.environment.name, value: "${{STAGE}}"}}]
tracer_provider:
  processors:
    - batch: {{exporter: {{otlp_http: {{endpoint: "{url}/v1/traces"}}}}}}
meter_provider:
  readers:
    - periodic:
        exporter:
          otlp_http: {{endpoint: "{url}/v1/metrics", headers: [{{name: x-tenant, value: shop}}]}}
"""


def test_it_says_where_to_export(start_agent, nginx, tmp_path):
    with OtlpBackend() as backend:
        document = tmp_path / "otel.yaml"
        document.write_text(DOCUMENT.format(url=backend.url))
        agent = start_agent(ports=[nginx.port], env=dict(
            os.environ, OTEL_CONFIG_FILE=str(document), STAGE="test",
            OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:1"))
        curl(*[f"{nginx.url}/ok"] * 3)
        eventually(lambda: backend.count(SERVER) == 3, what="3 server requests")
        eventually(backend.spans, what="spans")
        resources = [attributes(item["resource"]) for item in backend.sink.query("/metrics")
                     if item["metric"]["name"] == SERVER]
        assert {resource["deployment.environment.name"] for resource in resources} == {"test"}

        document.write_text(DOCUMENT.format(url=backend.url) + "  views: []\n")
        os.kill(agent.pid, signal.SIGHUP)
        eventually(lambda: "SIGHUP: configuration reloaded" in agent.log(), what="the reload")
        assert f"SIGHUP: {document}:12:3: meter_provider.views is not supported" in agent.log()

        document.write_text("file_format: '1.0'\nlog_level: ${LEVEL:?}\n")
        os.kill(agent.pid, signal.SIGHUP)
        eventually(lambda: "SIGHUP: keeping the old configuration" in agent.log(), what="the refusal")
        assert agent.stop() == 0
