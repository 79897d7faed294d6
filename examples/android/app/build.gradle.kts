plugins {
    id("com.android.application") version "8.13.0"
    kotlin("android") version "2.4.20"
    kotlin("plugin.compose") version "2.4.20"
}

android {
    namespace = "dev.parvis.app"
    compileSdk = 36
    defaultConfig {
        applicationId = "dev.parvis.app"
        minSdk = 31
        targetSdk = 36
        versionCode = 1
        versionName = "0.1.0"
    }
    buildTypes { release { isMinifyEnabled = true } }
    // The models and screens are the same sources that are tested on a JVM.
    sourceSets["main"].kotlin.srcDirs("../model/src/main/kotlin", "../ui/src/main/kotlin", "../phone/src/main/kotlin")
}

kotlin { jvmToolchain(17) }

dependencies {
    implementation(project(":sdk-android"))
    implementation(platform("androidx.compose:compose-bom:2025.10.00"))
    implementation("androidx.compose.material3:material3")
    implementation("androidx.activity:activity-compose:1.11.0")
}
