//! A thousand overlays over ten bases, as teams with one repository have them.

use std::{fs, path::Path};

use anyhow::{Context, Result};

/// Writes the tree; its top directory has a kustomization that names all overlays.
pub(super) fn write(directory: &Path) -> Result<()> {
    for base in 0..10 {
        let path = directory.join(format!("bases/{base}"));
        file(
            &path,
            "kustomization.yaml",
            "resources: [app.yaml]\nconfigMapGenerator:\n- name: settings\n  literals: [LEVEL=info]\n",
        )?;
        file(&path, "app.yaml", APP)?;
    }
    let mut names = String::from("resources:\n");
    for overlay in 0..1000 {
        names.extend(["- overlays/", &overlay.to_string(), "\n"]);
        let kustomization = format!(
            "namespace: team-{overlay}\nnamePrefix: t{overlay}-\nresources: [../../bases/{}]\nlabels:\n- pairs: {{team: t{overlay}}}\n\
             images:\n- {{name: app, newTag: v{overlay}}}\npatches:\n- patch: |\n    apiVersion: apps/v1\n    kind: Deployment\n    \
             metadata: {{name: app}}\n    spec: {{replicas: {}}}\n",
            overlay % 10,
            overlay % 7,
        );
        file(
            &directory.join(format!("overlays/{overlay}")),
            "kustomization.yaml",
            &kustomization,
        )?;
    }
    file(directory, "kustomization.yaml", &names)
}

fn file(directory: &Path, name: &str, content: &str) -> Result<()> {
    fs::create_dir_all(directory).with_context(|| format!("create {}", directory.display()))?;
    fs::write(directory.join(name), content).with_context(|| format!("write {name}"))
}

const APP: &str = "apiVersion: apps/v1
kind: Deployment
metadata: {name: app, labels: {app: app}}
spec:
  selector: {matchLabels: {app: app}}
  template:
    metadata: {labels: {app: app}}
    spec:
      containers:
      - name: app
        image: app:v1
        envFrom: [{configMapRef: {name: settings}}]
        ports: [{name: http, containerPort: 8080, protocol: TCP}]
---
apiVersion: v1
kind: Service
metadata: {name: app}
spec:
  selector: {app: app}
  ports: [{name: http, port: 80, protocol: TCP, targetPort: http}]
";
