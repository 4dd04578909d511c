"""Every file that the programs of the node read: certificates, tokens, configurations."""
import json
import secrets
import subprocess

NODE = "node-a"
NODE_IP = "10.98.0.1"
NODE_NETWORK = "10.98.0.0/24"
SERVICES = "10.96.0.0/16"
FIRST_SERVICE = "10.96.0.1"
PODS = "10.97.0.0/20"
DOMAIN = "cluster.local"
API = f"https://{NODE_IP}:6443"
CGROUP = "exemplar-cluster"


def openssl(folder, *arguments):
    subprocess.run(["openssl", *map(str, arguments)], cwd=folder, check=True, capture_output=True)


def write_certificates(folder):
    """A CA, the API server's certificate, and the one it shows to the kubelet."""
    folder.mkdir()
    new_key = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    openssl(folder, "req", "-x509", *new_key, "-days", 3650, "-subj", "/CN=exemplar-cluster",
            "-keyout", "ca.key", "-out", "ca.crt")
    names = ["kubernetes", "kubernetes.default", "kubernetes.default.svc",
             f"kubernetes.default.svc.{DOMAIN}", "localhost"]
    addresses = [NODE_IP, FIRST_SERVICE, "127.0.0.1"]
    extensions = ",".join([f"DNS:{name}" for name in names] + [f"IP:{one}" for one in addresses])
    (folder / "server.ext").write_text(f"subjectAltName={extensions}\n")
    for name, subject, extra in (("server", "/CN=kube-apiserver", ["-extfile", "server.ext"]),
                                 ("kubelet-client", "/O=system:masters/CN=kube-apiserver", [])):
        openssl(folder, "req", "-new", *new_key, "-subj", subject, "-keyout", f"{name}.key",
                "-out", f"{name}.csr")
        openssl(folder, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                "-CAcreateserial", "-days", 3650, "-out", f"{name}.crt", *extra)
    openssl(folder, "genrsa", "-out", "accounts.key", 2048)
    openssl(folder, "rsa", "-in", "accounts.key", "-pubout", "-out", "accounts.pub")


USERS = {  # user: (name for the API server, groups)
    "admin": ("admin", "system:masters"),
    "kubelet": (f"system:node:{NODE}", "system:nodes"),
    "kube-controller-manager": ("system:kube-controller-manager", "system:masters"),
    "kube-scheduler": ("system:kube-scheduler", ""),
    "kube-proxy": ("system:kube-proxy", "system:node-proxier"),
    "coredns": ("coredns", "system:masters"),
}


def write_users(folder):
    """Static tokens, and a kubeconfig for each user."""
    rows = []
    for user, (name, groups) in USERS.items():
        token = secrets.token_hex(16)
        rows.append(f'{token},{name},{name},"{groups}"\n')
        path = folder / f"{user}.kubeconfig"
        path.write_text(json.dumps({
            "apiVersion": "v1", "kind": "Config", "current-context": "cluster",
            "clusters": [{"name": "cluster", "cluster": {
                "server": API, "certificate-authority": str(folder / "pki" / "ca.crt")}}],
            "users": [{"name": user, "user": {"token": token}}],
            "contexts": [{"name": "cluster", "context": {"cluster": "cluster", "user": user}}]}))
        path.chmod(0o600)
    (folder / "tokens.csv").write_text("".join(rows))
    (folder / "tokens.csv").chmod(0o600)


def write_kubelet(folder):
    """For a machine with hybrid cgroups and without CAP_SYS_RESOURCE, as well as for others."""
    (folder / "kubelet.json").write_text(json.dumps({
        "apiVersion": "kubelet.config.k8s.io/v1beta1", "kind": "KubeletConfiguration",
        "containerRuntimeEndpoint": f"unix://{folder}/containerd.sock",
        "cgroupDriver": "cgroupfs", "cgroupRoot": f"/{CGROUP}", "failCgroupV1": False,
        "featureGates": {"KubeletInUserNamespace": True}, "oomScoreAdj": 0,
        "enforceNodeAllocatable": [], "failSwapOn": False, "resolvConf": "",
        "clusterDNS": [NODE_IP], "clusterDomain": DOMAIN, "maxPods": 110,
        "address": NODE_IP, "healthzBindAddress": "127.0.0.1",
        "authentication": {"anonymous": {"enabled": False}, "webhook": {"enabled": True},
                           "x509": {"clientCAFile": f"{folder}/pki/ca.crt"}},
        "authorization": {"mode": "Webhook"},
        "podLogsDir": f"{folder}/logs/pods", "volumePluginDir": f"{folder}/kubelet/plugins",
        "evictionHard": {"memory.available": "10Mi", "nodefs.available": "1%",
                         "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100, "imageGCLowThresholdPercent": 99,
        "syncFrequency": "10s", "nodeStatusUpdateFrequency": "5s"}))


def write_kube_proxy(folder):
    (folder / "kube-proxy.json").write_text(json.dumps({
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1", "kind": "KubeProxyConfiguration",
        "mode": "iptables", "clusterCIDR": PODS, "oomScoreAdj": 0, "hostnameOverride": NODE,
        "clientConnection": {"kubeconfig": f"{folder}/kube-proxy.kubeconfig"},
        "healthzBindAddress": "127.0.0.1:10256", "metricsBindAddress": "127.0.0.1:10249",
        "conntrack": {"maxPerCore": 0, "min": 0, "tcpCloseWaitTimeout": "0s",
                      "tcpEstablishedTimeout": "0s"}}))


def write_containerd(folder, pause):
    runtime = "plugins.'io.containerd.cri.v1.runtime'"
    (folder / "containerd.toml").write_text(f"""version = 3
root = '{folder}/containerd/root'
state = '{folder}/containerd/state'
[grpc]
  address = '{folder}/containerd.sock'
[plugins.'io.containerd.cri.v1.images'.pinned_images]
  sandbox = '{pause}'
[{runtime}]
  restrict_oom_score_adj = true
[{runtime}.cni]
  bin_dirs = ['/usr/lib/cni']
  conf_dir = '{folder}/cni'
[{runtime}.containerd.runtimes.runc]
  runtime_type = 'io.containerd.runc.v2'
[{runtime}.containerd.runtimes.runc.options]
  SystemdCgroup = false
""")
    (folder / "cni").mkdir()
    # A link of its own for every pod: traffic from pod to pod is routed, so services work without
    # filtering on bridges.
    (folder / "cni" / "10-pods.conflist").write_text(json.dumps({
        "cniVersion": "1.0.0", "name": "pods", "plugins": [
            {"type": "ptp", "ipMasq": False, "ipam": {
                "type": "host-local", "dataDir": f"{folder}/addresses",
                "ranges": [[{"subnet": PODS}]], "routes": [{"dst": "0.0.0.0/0"}]}},
            {"type": "portmap", "capabilities": {"portMappings": True}}]}))


def write_coredns(folder):
    (folder / "Corefile").write_text(f""".:53 {{
    bind {NODE_IP}
    errors
    kubernetes {DOMAIN} in-addr.arpa {{
        kubeconfig {folder}/coredns.kubeconfig
        ttl 5
    }}
}}
""")


def write_all(folder, pause):
    write_certificates(folder / "pki")
    write_users(folder)
    write_kubelet(folder)
    write_kube_proxy(folder)
    write_containerd(folder, pause)
    write_coredns(folder)


def commands(folder):
    """Program -> its arguments, in the order of their start."""
    pki = folder / "pki"
    return {
        "etcd": ["--data-dir", f"{folder}/etcd", "--listen-client-urls", "http://127.0.0.1:2379",
                 "--advertise-client-urls", "http://127.0.0.1:2379",
                 "--listen-peer-urls", "http://127.0.0.1:2380", "--unsafe-no-fsync"],
        "kube-apiserver": [
            "--etcd-servers=http://127.0.0.1:2379", f"--advertise-address={NODE_IP}",
            f"--service-cluster-ip-range={SERVICES}", "--authorization-mode=Node,RBAC",
            "--allow-privileged=true", "--kubelet-preferred-address-types=InternalIP",
            f"--token-auth-file={folder}/tokens.csv", f"--client-ca-file={pki}/ca.crt",
            f"--tls-cert-file={pki}/server.crt", f"--tls-private-key-file={pki}/server.key",
            f"--kubelet-client-certificate={pki}/kubelet-client.crt",
            f"--kubelet-client-key={pki}/kubelet-client.key",
            f"--service-account-issuer=https://kubernetes.default.svc.{DOMAIN}",
            f"--service-account-key-file={pki}/accounts.pub",
            f"--service-account-signing-key-file={pki}/accounts.key",
            "--shutdown-delay-duration=0s", "--event-ttl=1h"],
        "containerd": ["--config", f"{folder}/containerd.toml"],
        "kube-controller-manager": [
            f"--kubeconfig={folder}/kube-controller-manager.kubeconfig", "--leader-elect=false",
            f"--service-account-private-key-file={pki}/accounts.key",
            f"--root-ca-file={pki}/ca.crt", f"--service-cluster-ip-range={SERVICES}",
            "--allocate-node-cidrs=false"],
        "kube-scheduler": [f"--kubeconfig={folder}/kube-scheduler.kubeconfig",
                           "--leader-elect=false"],
        "kubelet": [f"--config={folder}/kubelet.json", f"--kubeconfig={folder}/kubelet.kubeconfig",
                    f"--hostname-override={NODE}", f"--root-dir={folder}/kubelet",
                    f"--node-ip={NODE_IP}"],
        "kube-proxy": [f"--config={folder}/kube-proxy.json"],
        "coredns": ["-conf", f"{folder}/Corefile"],
    }
