//! The CRI, as a kubelet speaks it.

use std::path::Path;
use std::time::Duration;

use k8s_cri::v1::runtime_service_client::RuntimeServiceClient;
use k8s_cri::v1::{
    ContainerConfig, ContainerMetadata, CreateContainerRequest, ExecSyncRequest, ImageSpec, LinuxContainerConfig,
    LinuxContainerSecurityContext, LinuxPodSandboxConfig, LinuxSandboxSecurityContext, ListContainersRequest,
    NamespaceMode, NamespaceOption, PodSandboxConfig, PodSandboxMetadata, RemoveContainerRequest,
    RemovePodSandboxRequest, RunPodSandboxRequest, StartContainerRequest, StopPodSandboxRequest,
};
use tokio::runtime::Runtime;
use tonic::transport::{Channel, Endpoint};
use tonic::{Response, Status as Refusal};

use crate::{IMAGE, STATUS, Status};

/// A connection to the runtime service.
#[derive(Debug)]
pub struct Cri {
    runtime: Runtime,
    client: RuntimeServiceClient<Channel>,
}

/// A pod sandbox, and what it was made from.
#[derive(Debug)]
pub struct Pod {
    /// The id that the engine gave it.
    pub id: String,
    config: PodSandboxConfig,
}

impl Cri {
    pub(crate) fn connect(socket: &Path) -> Self {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
        let endpoint = Endpoint::from_shared(format!("unix://{}", socket.display())).unwrap();
        let endpoint = endpoint.timeout(Duration::from_mins(5));
        let channel = runtime.block_on(endpoint.connect()).unwrap();
        Self { runtime, client: RuntimeServiceClient::new(channel) }
    }

    /// `RunPodSandbox` on the host's network.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn pod(&mut self, name: &str, handler: &str, is_privileged: bool) -> Result<Pod, Refusal> {
        let text = || name.to_owned();
        let config = PodSandboxConfig {
            metadata: Some(PodSandboxMetadata { name: text(), uid: text(), namespace: "default".into(), attempt: 0 }),
            log_directory: "/run/pods".into(),
            linux: Some(LinuxPodSandboxConfig {
                cgroup_parent: "/pods".into(),
                security_context: Some(LinuxSandboxSecurityContext {
                    namespace_options: Some(of_node()),
                    privileged: is_privileged,
                    ..Default::default()
                }),
                ..Default::default()
            }),
            ..Default::default()
        };
        let request = RunPodSandboxRequest { config: Some(config.clone()), runtime_handler: handler.into() };
        let id = answer(self.runtime.block_on(self.client.run_pod_sandbox(request)))?.pod_sandbox_id;
        Ok(Pod { id, config })
    }

    /// `CreateContainer` and `StartContainer` of one that sleeps; gives its id.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn container(&mut self, pod: &Pod, is_privileged: bool) -> Result<String, Refusal> {
        let security = LinuxContainerSecurityContext {
            privileged: is_privileged,
            namespace_options: Some(of_node()),
            ..Default::default()
        };
        let config = ContainerConfig {
            metadata: Some(ContainerMetadata { name: "c".into(), attempt: 0 }),
            image: Some(ImageSpec { image: IMAGE.into(), ..Default::default() }),
            // What the first process is allowed is what counts most.
            command: ["sh", "-c", "cat /proc/self/status; sleep 1000"].map(Into::into).into(),
            log_path: "c.log".into(),
            linux: Some(LinuxContainerConfig { security_context: Some(security), ..Default::default() }),
            ..Default::default()
        };
        let request = CreateContainerRequest {
            pod_sandbox_id: pod.id.clone(),
            config: Some(config),
            sandbox_config: Some(pod.config.clone()),
        };
        let id = answer(self.runtime.block_on(self.client.create_container(request)))?.container_id;
        let request = StartContainerRequest { container_id: id.clone() };
        match answer(self.runtime.block_on(self.client.start_container(request))) {
            Ok(_) => Ok(id),
            Err(refusal) => {
                // As a kubelet does with a container that did not start.
                let request = RemoveContainerRequest { container_id: id };
                answer(self.runtime.block_on(self.client.remove_container(request)))?;
                Err(refusal)
            }
        }
    }

    /// `ExecSync` of `cat /proc/self/status`.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn exec(&mut self, container: &str) -> Result<Status, Refusal> {
        let request =
            ExecSyncRequest { container_id: container.into(), cmd: STATUS.map(Into::into).into(), timeout: 120 };
        let response = answer(self.runtime.block_on(self.client.exec_sync(request)))?;
        Ok(Status::parse(&String::from_utf8_lossy(&response.stdout)))
    }

    /// `ListContainers`: how many there are.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn containers(&mut self) -> Result<usize, Refusal> {
        let request = ListContainersRequest::default();
        Ok(answer(self.runtime.block_on(self.client.list_containers(request)))?.containers.len())
    }

    /// `StopPodSandbox` and `RemovePodSandbox`.
    ///
    /// # Errors
    /// The engine's own words.
    pub fn remove(&mut self, pod: Pod) -> Result<(), Refusal> {
        let request = StopPodSandboxRequest { pod_sandbox_id: pod.id.clone() };
        answer(self.runtime.block_on(self.client.stop_pod_sandbox(request)))?;
        let request = RemovePodSandboxRequest { pod_sandbox_id: pod.id };
        answer(self.runtime.block_on(self.client.remove_pod_sandbox(request)))?;
        Ok(())
    }
}

/// The room's network: a CNI plugin would be needed for any other.
fn of_node() -> NamespaceOption {
    NamespaceOption { network: NamespaceMode::Node.into(), ..Default::default() }
}

fn answer<T>(response: Result<Response<T>, Refusal>) -> Result<T, Refusal> {
    response.map(Response::into_inner)
}
